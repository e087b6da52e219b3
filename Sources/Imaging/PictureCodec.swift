/// How pictures come from files and go to them: Pillow in Python, libpng and libjpeg in Swift. Both are
/// called on threads of whoever works with the pictures, one thread each.
public struct PictureCodec: Sendable {
    /// The bytes of a picture's file as what the model is to see of it: turned, on its background, and where
    /// all pictures get one size, in that. The path is what errors name.
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
