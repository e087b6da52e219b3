import Testing

@testable import Torch

/// The computations of `gradients_reference.py`, by the same names.
enum GradientCases {
    typealias Computation = @Sendable ([String: Tensor]) throws -> Tensor

    static let names = all.keys.sorted()

    static let all = arithmetic.merging(neural) { $1 }.merging(layout) { $1 }

    private static func one(
        _ name: String = "x", _ compute: @escaping @Sendable (Tensor) throws -> Tensor
    ) -> Computation {
        { try compute(#require($0[name])) }
    }

    private static func two(
        _ first: String, _ second: String,
        _ compute: @escaping @Sendable (Tensor, Tensor) throws -> Tensor
    ) -> Computation {
        { try compute(#require($0[first]), #require($0[second])) }
    }

    private static func three(
        _ first: String, _ second: String, _ third: String,
        _ compute: @escaping @Sendable (Tensor, Tensor, Tensor) throws -> Tensor
    ) -> Computation {
        { try compute(#require($0[first]), #require($0[second]), #require($0[third])) }
    }

    private static let arithmetic: [String: Computation] = [
        "add": two("x", "y") { try $0 + $1 },
        "subtract": two("x", "y") { try $0 - $1 },
        "multiply": two("x", "y") { try $0 * $1 },
        "divide": two("x", "positive") { try $0 / $1 },
        "negate": one { try -$0 },
        "plus": one { try $0 + 0.3 },
        "minus": one { try $0 - 0.3 },
        "times": one { try 0.18215 * $0 },
        "over": one { try $0 / 3 },
        "scalars": three("x", "y", "z") { try 0.5 * ($0 * $2) * $1 + $0 / 2 },
        "exp": one { try $0.exponential() },
        "log": one("positive") { try $0.logarithm() },
        "sqrt": one("positive") { try $0.squareRoot() },
        "power": one("positive") { try $0.raised(to: 2.5) },
        "cube": one { try $0.raised(to: 3) },
        "sine": one { try $0.sine() },
        "cosine": one { try $0.cosine() },
        "absolute": one { try $0.absolute() },
        "clamp": one { try $0.clamped(to: -0.5...0.8) },
        "sum": one { try $0.sum() },
        "sumOver": one { try $0.sum(over: [0, -1]) },
        "sumKeeping": one { try $0.sum(over: [1], keepingDimensions: true) },
        "mean": one { try $0.mean() },
        "meanOver": one { try $0.mean(over: [1, 2]) },
        "squaredError": two("x", "y") { try $0.meanSquaredError(to: $1) },
        "twice": one { try $0 * $0 + $0.transposed(1, 2).transposed(1, 2) },
        "detached": one { try $0 * $0.detached() },
    ]

    private static let neural: [String: Computation] = [
        "matmul": two("x", "y") { try $0.matrixProduct($1) },
        "linear": three("x", "weight", "bias") { try $0.linear(weight: $1, bias: $2) },
        "linearOfOne": two("x", "weight") { try $0.linear(weight: $1, bias: nil) },
        "conv": three("x", "weight", "bias") {
            try $0.conv2d(weight: $1, bias: $2, padding: 1)
        },
        "convStrided": two("x", "weight") { try $0.conv2d(weight: $1, bias: nil, stride: 2) },
        "convPadded": three("x", "weight", "bias") {
            try $0.conv2d(weight: $1, bias: $2, stride: 3, padding: 2)
        },
        "convGroups": three("x", "weight", "bias") {
            try $0.conv2d(weight: $1, bias: $2, padding: 1, groups: 2)
        },
        "convDepthwise": two("x", "weight") {
            try $0.conv2d(weight: $1, bias: nil, stride: 2, padding: 1, groups: 3)
        },
        "convPoint": three("x", "weight", "bias") { try $0.conv2d(weight: $1, bias: $2) },
        "groupNorm": three("x", "weight", "bias") {
            try $0.groupNorm(groups: 2, weight: $1, bias: $2, epsilon: 1e-6)
        },
        "groupNormOfSequences": three("x", "weight", "bias") {
            try $0.groupNorm(groups: 4, weight: $1, bias: $2, epsilon: 1e-5)
        },
        "groupNormOfViews": three("x", "weight", "bias") {
            try $0.permuted([0, 3, 1, 2])
                .groupNorm(groups: 1, weight: $1, bias: $2, epsilon: 1e-5)
        },
        "layerNorm": three("x", "weight", "bias") {
            try $0.layerNorm(weight: $1, bias: $2, epsilon: 1e-5)
        },
        "silu": one { try $0.silu() },
        "gelu": one { try $0.gelu() },
        "gatedGELU": one { try $0.gatedGELU() },
        "gatedGELUOfViews": one { try $0.transposed(1, 2).gatedGELU() },
        "sigmoid": one { try $0.sigmoid() },
        "quickGELU": one { try $0 * (1.702 * $0).sigmoid() },
        "softmax": one { try $0.softmax(dimension: -1) },
        "softmaxFirst": one { try $0.softmax(dimension: 0) },
        "attention": three("q", "k", "v") { try $0.scaledDotProductAttention(key: $1, value: $2) },
        "attentionCausal": three("q", "k", "v") {
            try $0.scaledDotProductAttention(key: $1, value: $2, isCausal: true)
        },
        "attentionWithoutBatch": three("q", "k", "v") {
            try $0.scaledDotProductAttention(key: $1, value: $2)
        },
        "attentionCausalAcross": three("q", "k", "v") {
            try $0.scaledDotProductAttention(key: $1, value: $2, isCausal: true)
        },
        "attentionOfViews": three("q", "k", "v") {
            try $0.transposed(2, 3).scaledDotProductAttention(
                key: $1.transposed(2, 3), value: $2.transposed(2, 3))
        },
        "attentionToItself": one { try $0.scaledDotProductAttention(key: $0, value: $0) },
        "upsample": one { try $0.upsampledNearest(height: 9, width: 6) },
        "embedding": one {
            try Tensor([1, 4, 1, 0, 1, 3] as [Int64], shape: [2, 3], in: $0.library).embedded(
                in: $0)
        },
        "network": network,
    ]

    private static let layout: [String: Computation] = [
        "pad": one { try $0.zeroPadded(left: 0, right: 1, top: 2, bottom: 3) },
        "crop": one { try $0.zeroPadded(left: -1, right: 2, top: 0, bottom: -2) },
        "concatenate": two("x", "y") { try Tensor.concatenated([$0, $1, $0], dimension: -2) },
        "split": one {
            let parts = try $0.split(into: 3, dimension: 1)
            return try parts[0] * parts[2]
        },
        "narrow": one { try $0.narrowed(dimension: 1, start: -2, length: 2) },
        "narrowLast": one { try $0.narrowed(dimension: -1, start: 1, length: 2) },
        "reshape": one { try $0.reshaped([4, -1]) },
        "permute": one { try $0.permuted([-1, 0, 1]) },
        "transpose": one { try $0.transposed(0, -1) },
        "contiguous": one { try $0.transposed(0, 1).contiguous() },
        "clone": one { try $0.cloned() },
        "expand": one { try $0.expanded(to: [2, 3, 4]) },
    ]

    // MARK: - A small network

    /// Two residual blocks with attention between them, then up and down again.
    private static let network: Computation = { inputs in
        func input(_ name: String) throws -> Tensor {
            let input = inputs[name]
            return try #require(input)
        }
        func row(_ index: Int, of name: String) throws -> Tensor {
            let tensor = try input(name)
            return try tensor.narrowed(dimension: 0, start: index, length: 1)
                .reshaped(Array(tensor.shape.dropFirst()))
        }
        let (x, time) = try (input("x"), input("time"))
        var hidden = try residualBlock(x, time, groups: 2) { try input("a" + $0) }
        let (batch, channels) = (x.shape[0], x.shape[1])
        let places = try hidden.reshaped([batch, channels, -1]).transposed(1, 2)
        let normal = try places.layerNorm(
            weight: row(0, of: "final"), bias: row(1, of: "final"), epsilon: 1e-5)
        let heads = try (0..<3).map {
            try normal.linear(weight: row($0, of: "attention"), bias: nil)
                .reshaped([batch, places.shape[1], 2, 2]).transposed(1, 2)
        }
        let attended = try heads[0].scaledDotProductAttention(key: heads[1], value: heads[2])
            .transposed(1, 2).reshaped(places.shape)
        hidden = try (attended + places).transposed(1, 2).reshaped(x.shape)
        hidden = try residualBlock(hidden, time, groups: 1) { try input("b" + $0) }
            .upsampledNearest(height: 2 * x.shape[2], width: 2 * x.shape[3])
        hidden = try hidden.zeroPadded(left: 0, right: 1, top: 0, bottom: 1)
            .conv2d(weight: input("last"), bias: nil, stride: 2)
        return try .concatenated([hidden, x], dimension: 1)
    }

    private static func residualBlock(
        _ x: Tensor, _ time: Tensor, groups: Int, _ part: (String) throws -> Tensor
    ) throws -> Tensor {
        var hidden = try x.groupNorm(
            groups: groups, weight: part("n1w"), bias: part("n1b"), epsilon: 1e-5)
        hidden = try hidden.silu().conv2d(weight: part("c1w"), bias: part("c1b"), padding: 1)
        let shift = try time.silu().linear(weight: part("tw"), bias: part("tb"))
        hidden = try hidden + shift.reshaped([1, -1, 1, 1])
        hidden = try hidden.groupNorm(
            groups: groups, weight: part("n2w"), bias: part("n2b"), epsilon: 1e-5)
        return try x + hidden.silu().conv2d(weight: part("c2w"), bias: part("c2b"), padding: 1)
    }
}
