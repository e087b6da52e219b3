import Diffusion
import Torch

/// Turns prompts into what the UNet attends to, and remembers the last ones: studies often give the
/// same prompt to every picture.
public final class PromptEncoder {
    private let components: StableDiffusionComponents
    private let warn: (String) -> Void
    private var remembered: [(text: String, hidden: Tensor)] = []

    /// - Parameters:
    ///   - components: whose tokenizer and text encoder are used.
    ///   - warn: told of prompts that are too long, with what was cut off.
    public init(_ components: StableDiffusionComponents, warn: @escaping (String) -> Void) {
        self.components = components
        self.warn = warn
    }

    /// What the UNet attends to: the prompts' hidden states, and those of what guidance leads away from.
    ///
    /// - Parameters:
    ///   - prompts: at least one, each padded and cut to the model's length.
    ///   - negativePrompts: none, one for all, or one for each; without influence without guidance.
    ///   - imagesPerPrompt: how often each prompt is repeated.
    ///   - usesGuidance: whether the negative prompts are encoded too.
    public func embeddings(
        prompts: [String], negativePrompts: [String] = [], imagesPerPrompt: Int = 1,
        usesGuidance: Bool = true
    ) throws -> PromptEmbeddings {
        // The prompts first, as in the reference, so that their warnings come first.
        let positive = try hiddenStates(of: prompts, argument: "prompt", repeated: imagesPerPrompt)
        guard usesGuidance else { return try PromptEmbeddings(negative: nil, prompt: positive) }
        let negatives =
            negativePrompts.count == prompts.count
            ? negativePrompts
            : [String](repeating: negativePrompts.first ?? "", count: prompts.count)
        return try PromptEmbeddings(
            negative: hiddenStates(
                of: negatives, argument: "negative_prompt", repeated: imagesPerPrompt),
            prompt: positive)
    }

    /// The last hidden states of several texts, those of one text together: `[N × count, tokens, size]`.
    func hiddenStates(
        of texts: [String], argument: String, repeated count: Int = 1
    ) throws -> Tensor {
        let each = try texts.map { try hiddenStates(of: $0, argument: argument) }
        return try Tensor.concatenated(
            each.flatMap { [Tensor](repeating: $0, count: count) }, dimension: 0)
    }

    /// The last hidden states of one text, padded and cut to the model's length.
    ///
    /// - Parameters:
    ///   - text: a prompt or a negative one.
    ///   - argument: what a warning names if the text is cut.
    /// - Returns: `[1, tokens, size]`.
    public func hiddenStates(of text: String, argument: String) throws -> Tensor {
        if let known = remembered.first(where: { $0.text == text }) { return known.hidden }
        let tokenizer = try components.tokenizer
        let textEncoder = try components.textEncoder
        let length = min(
            tokenizer.modelMaxLength ?? .max, textEncoder.configuration.maxPositionEmbeddings)
        let encoding = tokenizer.encode(text, paddedTo: length)
        if encoding.lostTokenCount > 0 {
            warn(
                """
                \(argument): the text has \(encoding.tokenCount) tokens, but the model takes \(length). \
                This was cut off: "\(encoding.lostText)"
                """)
        }
        let hidden = try textEncoder([encoding.ids])
        // Half a gigabyte that the UNet's weights come beside.
        try textEncoder.giveBackPages()
        remembered = remembered.suffix(1) + [(text, hidden)]
        return hidden
    }
}
