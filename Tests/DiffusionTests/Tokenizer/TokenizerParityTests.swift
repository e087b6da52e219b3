import Foundation
import TestSupport
import Testing

@testable import Diffusion

/// The ids of every text against those of transformers, with tokenizer folders of all the kinds that model
/// repositories have.
@Suite struct TokenizerParityTests {
    private struct Answer: Decodable {
        let folder: String
        let length: Int?
        let texts: [String]
        /// Ids, separated by spaces, neither padded nor truncated.
        let whole: [String]
        let padded: [String]
        /// What the ids without room stand for.
        let lost: [String]
    }

    private func line(_ ids: [Int]) -> String {
        ids.map { "\($0)" }.joined(separator: " ")
    }

    @Test(.timeLimit(.minutes(5))) func equalTransformers() throws {
        let folder = try TemporaryFolder()
        let answers = try PythonReference("reference.py").run(
            folder.path, answer: [String: Answer].self)
        #expect(answers.count == 11)
        for (name, answer) in answers.sorted(by: { $0.key < $1.key }) {
            let tokenizer = try CLIPTokenizer(folder: answer.folder)
            #expect(tokenizer.modelMaxLength == answer.length, "\(name)")
            #expect(answer.texts.count == answer.whole.count)
            var differences: [String] = []
            for (index, text) in answer.texts.enumerated() {
                let whole = tokenizer.encode(text, paddedTo: nil)
                let padded = tokenizer.encode(text)
                let isEqual =
                    line(whole.ids) == answer.whole[index] && whole.lostTokenCount == 0
                    && line(padded.ids) == answer.padded[index]
                    && padded.tokenCount == whole.ids.count
                    && Array(padded.lostText.utf8) == Array(answer.lost[index].utf8)
                guard !isEqual else { continue }
                differences.append(
                    """
                    \(text.unicodeScalars.prefix(60).map { String($0.value, radix: 16) })
                    expected \(answer.whole[index].prefix(300)), \(answer.lost[index].prefix(100))
                    ours     \(line(whole.ids).prefix(300)), \(padded.lostText.prefix(100))
                    """)
            }
            #expect(
                differences.isEmpty,
                "\(name): \(differences.count) of \(answer.texts.count), such as \(differences.prefix(3).joined(separator: "\n"))"
            )
        }
    }
}
