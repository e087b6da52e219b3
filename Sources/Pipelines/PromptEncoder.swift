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

    /// The negative prompt's and the prompt's hidden states, each padded and cut to the model's length.
    ///
    /// - Parameters:
    ///   - prompt: what guidance leads towards.
    ///   - negativePrompt: what guidance leads away from; an empty text unless given.
    public func embeddings(prompt: String, negativePrompt: String?) throws -> PromptEmbeddings {
        // The prompt first, as in the reference, so that its warnings come first.
        let positive = try hiddenStates(of: prompt, argument: "prompt")
        let negative = try hiddenStates(of: negativePrompt ?? "", argument: "negative_prompt")
        return try PromptEmbeddings(negative: negative, prompt: positive)
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
        remembered = remembered.suffix(1) + [(text, hidden)]
        return hidden
    }
}
