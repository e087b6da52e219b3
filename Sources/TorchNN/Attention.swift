import Checkpoints
import Torch

/// Multi-head attention (Vaswani et al., 2017, section 3.2) between two sequences, or within one.
///
/// Answers to diffusers' `Attention` with its `to_q`, `to_k`, `to_v` and `to_out.0`.
public struct Attention {
    private let query: Linear
    private let key: Linear
    private let value: Linear
    private let out: Linear
    private let heads: Int
    private let upcasts: Bool
    private let precision: Precision

    /// - Parameters:
    ///   - weights: `to_q`, `to_k`, `to_v` and `to_out.0`.
    ///   - channels: of the attending sequence and the result; a multiple of `heads`.
    ///   - contextChannels: of the sequence that is attended to; the same one unless given.
    ///   - heads: that the channels are divided among.
    ///   - bias: whether query, key and value have one.
    ///   - upcasts: whether 16-bit queries and keys are compared in 32 bits.
    public init(
        _ weights: Weights, channels: Int, contextChannels: Int? = nil, heads: Int, bias: Bool,
        upcasts: Bool = false
    ) throws {
        let context = contextChannels ?? channels
        query = try Linear(weights / "to_q", from: channels, to: channels, bias: bias)
        key = try Linear(weights / "to_k", from: context, to: channels, bias: bias)
        value = try Linear(weights / "to_v", from: context, to: channels, bias: bias)
        out = try Linear(weights / "to_out" / "0", from: channels, to: channels)
        self.heads = heads
        self.upcasts = upcasts
        precision = weights.precision
    }

    /// `[N, length, channels]`, and a context `[N, …, contextChannels]`, to `[N, length, channels]`.
    /// - Parameters:
    ///   - x: the attending sequence.
    ///   - context: the sequence that is attended to; `x` unless given.
    ///   - residual: added to the result, and of its shape.
    public func callAsFunction(_ x: Tensor, context: Tensor? = nil, residual: Tensor? = nil) throws
        -> Tensor
    {
        let (query, key, value) = try (query(x), key(context ?? x), value(context ?? x))
        if let machine = try machine(for: query, key, value) {
            let attended = try KernelAttention(heads: heads)(
                query, key: key, value: value, on: machine)
            return try out(attended, residual: residual)
        }
        let attended = try split(query).scaledDotProductAttention(
            key: split(key), value: split(value))
        return try out(
            attended.converted(to: x.dtype).transposed(1, 2).reshaped(x.shape), residual: residual)
    }

    /// What a kernel would run on for sequences of vectors; nil if there is none.
    private func machine(for sequences: Tensor...) throws -> KernelMachine? {
        let machines = try sequences.map { try $0.kernelMachine(precision, rank: 3) }
        return machines.contains { $0 == nil } ? nil : machines[0]
    }

    /// `[N, length, channels]` to `[N, heads, length, channels / heads]`.
    private func split(_ x: Tensor) throws -> Tensor {
        let (batch, length, channels) = (x.shape[0], x.shape[1], x.shape[2])
        let parts = try x.reshaped([batch, length, heads, channels / heads]).transposed(1, 2)
        return try upcasts && parts.dtype.byteCount < 4 ? parts.converted(to: .float32) : parts
    }
}
