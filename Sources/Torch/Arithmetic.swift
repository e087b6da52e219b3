import CTorch

// Arithmetic, element by element, with torch's broadcasting. Results are new tensors.

extension Tensor {
    public static func + (a: Tensor, b: Tensor) throws -> Tensor {
        try a.subtracting(b, scale: -1)
    }

    public static func - (a: Tensor, b: Tensor) throws -> Tensor {
        try a.subtracting(b, scale: 1)
    }

    public static func * (a: Tensor, b: Tensor) throws -> Tensor {
        try a.library.call("mul", overload: "Tensor", [.tensor(a), .tensor(b)])
    }

    public static func / (a: Tensor, b: Tensor) throws -> Tensor {
        try a.library.call("div", overload: "Tensor", [.tensor(a), .tensor(b)])
    }

    public static func + (a: Tensor, b: Double) throws -> Tensor {
        try a + Tensor(scalar: b, in: a.library)
    }

    public static func * (a: Double, b: Tensor) throws -> Tensor {
        try b * Tensor(scalar: a, in: b.library)
    }

    public static func / (a: Tensor, b: Double) throws -> Tensor {
        try a / Tensor(scalar: b, in: a.library)
    }

    /// `exp(x)`
    public func exponential() throws -> Tensor {
        try library.call("exp", [.tensor(self)])
    }

    /// `sqrt(x)`
    public func squareRoot() throws -> Tensor {
        try library.call("sqrt", [.tensor(self)])
    }

    /// `sin(x)`
    public func sine() throws -> Tensor {
        try library.call("sin", [.tensor(self)])
    }

    /// `cos(x)`
    public func cosine() throws -> Tensor {
        try library.call("cos", [.tensor(self)])
    }

    /// Every element limited to `range`; NaN stays NaN.
    public func clamped(to range: ClosedRange<Double>) throws -> Tensor {
        let lower = try Tensor(scalar: range.lowerBound, in: library).converted(to: dtype)
        let upper = try Tensor(scalar: range.upperBound, in: library).converted(to: dtype)
        return try library.call(
            "clamp", overload: "Tensor",
            [
                .tensor(self), .optionalTensor(lower.moved(to: device)),
                .optionalTensor(upper.moved(to: device)),
            ])
    }

    /// To the nearest integer, halves to the even one, as IEEE 754 and numpy do.
    public func rounded() throws -> Tensor {
        try library.call("round", [.tensor(self)])
    }

    /// Whether no element is infinite or NaN.
    public func isFinite() throws -> Bool {
        let all = try library.call("all", [.tensor(library.call("isfinite", [.tensor(self)]))])
        var answer = false
        try library.check(
            library.functions.aoti_torch_item_bool(all.moved(to: .cpu).handle, &answer), "item")
        return answer
    }

    /// A tensor without dimensions. In arithmetic with another tensor it takes that one's dtype
    /// and device, as a Python number does.
    convenience init(scalar: Double, in library: LibTorch) throws {
        var handle: AtenTensorHandle?
        try library.check(
            library.functions.aoti_torch_scalar_to_tensor_float64(scalar, &handle), "scalar_tensor")
        try self.init(owning: library.unwrap(handle, "scalar_tensor"), in: library)
    }

    /// `self - scale * other`; the one sum in the C ABI that serves every device, so that addition
    /// is a scale of -1.
    private func subtracting(_ other: Tensor, scale: Double) throws -> Tensor {
        try Interruption.check()
        var result: AtenTensorHandle?
        try withExtendedLifetime((self, other)) {
            try library.check(
                library.functions.aoti_torch_aten_subtract_Tensor(
                    handle, other.handle, scale, &result),
                "subtract")
        }
        return try Tensor(owning: library.unwrap(result, "subtract"), in: library)
    }
}
