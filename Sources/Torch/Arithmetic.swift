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
            .recorded(from: a, b) {
                let (formOfA, formOfB) = try (a.form, b.form)
                return [
                    GradientPath(to: a) { try ($0 * b).fitted(to: formOfA) },
                    GradientPath(to: b) { try ($0 * a).fitted(to: formOfB) },
                ]
            }
    }

    public static func / (a: Tensor, b: Tensor) throws -> Tensor {
        let quotient = try a.library.call("div", overload: "Tensor", [.tensor(a), .tensor(b)])
        return try quotient.recorded(from: a, b) {
            let (formOfA, formOfB) = try (a.form, b.form)
            return [
                GradientPath(to: a) { try ($0 / b).fitted(to: formOfA) },
                GradientPath(to: b) { try (-($0 * quotient / b)).fitted(to: formOfB) },
            ]
        }
    }

    public static prefix func - (x: Tensor) throws -> Tensor {
        try x.library.call("neg", [.tensor(x)]).recorded(from: x) {
            [GradientPath(to: x) { try -$0 }]
        }
    }

    public static func + (a: Tensor, b: Double) throws -> Tensor {
        try a + .number(b, besides: a)
    }

    public static func - (a: Tensor, b: Double) throws -> Tensor {
        try a - .number(b, besides: a)
    }

    public static func * (a: Double, b: Tensor) throws -> Tensor {
        try b * .number(a, besides: b)
    }

    public static func / (a: Tensor, b: Double) throws -> Tensor {
        try a / .number(b, besides: a)
    }

    /// `exp(x)`
    public func exponential() throws -> Tensor {
        let result = try library.call("exp", [.tensor(self)])
        return try result.recorded(from: self) {
            [GradientPath(to: self) { try $0 * result }]
        }
    }

    /// The natural logarithm.
    public func logarithm() throws -> Tensor {
        try library.call("log", [.tensor(self)]).recorded(from: self) {
            [GradientPath(to: self) { try $0 / self }]
        }
    }

    /// `sqrt(x)`
    public func squareRoot() throws -> Tensor {
        let result = try library.call("sqrt", [.tensor(self)])
        return try result.recorded(from: self) {
            [GradientPath(to: self) { try $0 / (2 * result) }]
        }
    }

    /// `|x|`
    public func absolute() throws -> Tensor {
        try library.call("abs", [.tensor(self)]).recorded(from: self) {
            // At 0 any slope from -1 to 1 would do; torch takes 0 too.
            [GradientPath(to: self) { try $0 * $0.library.call("sgn", [.tensor(self)]) }]
        }
    }

    /// `x^exponent`
    public func raised(to exponent: Double) throws -> Tensor {
        try library.call(
            "pow", overload: "Tensor_Tensor",
            [.tensor(self), .tensor(.number(exponent, besides: self))]
        )
        .recorded(from: self) {
            [
                // The derivative of 1 is 0, also at 0, where 0 times infinity would be NaN.
                GradientPath(to: self) {
                    try exponent == 0
                        ? .zeros(like: $0) : $0 * (exponent * self.raised(to: exponent - 1))
                }
            ]
        }
    }

    /// `sin(x)`
    public func sine() throws -> Tensor {
        try library.call("sin", [.tensor(self)]).recorded(from: self) {
            [GradientPath(to: self) { try $0 * self.cosine() }]
        }
    }

    /// `cos(x)`
    public func cosine() throws -> Tensor {
        try library.call("cos", [.tensor(self)]).recorded(from: self) {
            [GradientPath(to: self) { try -($0 * self.sine()) }]
        }
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
            ]
        )
        .recorded(from: self) {
            let high = try library.call("ge", overload: "Tensor", [.tensor(self), .tensor(lower)])
            let low = try library.call("le", overload: "Tensor", [.tensor(self), .tensor(upper)])
            let inside = try library.call("logical_and", [.tensor(high), .tensor(low)])
            return [
                GradientPath(to: self) { gradient in
                    try gradient.library.call(
                        "where", overload: "self",
                        [
                            .tensor(inside), .tensor(gradient),
                            .tensor(.number(0, besides: gradient)),
                        ])
                }
            ]
        }
    }

    /// To the nearest integer, halves to the even one, as IEEE 754 and numpy do. No gradient goes
    /// through it: it would be 0.
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

    /// A number as an operand beside `other`, whose dtype the result is to have also where that has no
    /// dimensions either.
    static func number(_ value: Double, besides other: Tensor) throws -> Tensor {
        let number = try Tensor(scalar: value, in: other.library)
        guard try other.shape.isEmpty && other.dtype.isFloatingPoint else { return number }
        return try number.converted(to: other.dtype)
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
            .recorded(from: self, other) {
                let (form, formOfOther) = try (form, other.form)
                return [
                    GradientPath(to: self) { try $0.fitted(to: form) },
                    GradientPath(to: other) {
                        try (scale == -1 ? $0 : -scale * $0).fitted(to: formOfOther)
                    },
                ]
            }
    }
}
