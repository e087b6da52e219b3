import Torch

/// Prompts and what guidance leads away from, as the text encoder gives them.
public struct PromptEmbeddings {
    /// The prompts' hidden states: `[N, tokens, size]`.
    public let prompt: Tensor
    /// The negative prompts', then the prompts' hidden states, `[2 N, tokens, size]`; nil without
    /// guidance.
    public let both: Tensor?

    /// - Parameters:
    ///   - negative: of the same shape as `prompt`; nil for no guidance.
    ///   - prompt: `[N, tokens, size]`.
    public init(negative: Tensor?, prompt: Tensor) throws {
        self.prompt = prompt
        both = try negative.map { try Tensor.concatenated([$0, prompt], dimension: 0) }
    }

    /// - Parameter both: the negative prompts', then the prompts' hidden states, `[2 N, tokens, size]`.
    public init(both: Tensor) throws {
        guard both.shape.count == 3, both.shape[0] % 2 == 0 else {
            throw PipelineError.invalidArgument(
                name: "prompt_embeds",
                reason: "the shape is \(both.shape); [2 N, tokens, size] is needed with guidance.")
        }
        let parts = try both.split(into: 2, dimension: 0)
        prompt = parts[1]
        self.both = both
    }

    /// Number of prompts.
    public var count: Int { prompt.shape.first ?? 0 }
}
