import Imaging

/// How pictures come from files and go to them: Pillow in Python, libpng and libjpeg in Swift. Both are
/// called on threads of a study's own, one thread each.
public struct PictureCodec: Sendable {
    /// The bytes of a picture's file as what the model is to see of it: turned, on its background, in the
    /// study's size. The path is what errors name.
    public var decode: @Sendable (_ bytes: [UInt8], _ path: String) throws -> RGBImage
    /// A picture as the bytes of a PNG file.
    public var encode: @Sendable (RGBImage) throws -> [UInt8]

    public init(
        decode: @escaping @Sendable (_ bytes: [UInt8], _ path: String) throws -> RGBImage,
        encode: @escaping @Sendable (RGBImage) throws -> [UInt8]
    ) {
        self.decode = decode
        self.encode = encode
    }
}
