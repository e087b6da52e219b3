import Testing

@testable import Diffusion

/// What the tokenizer answers beyond the ids that transformers gives.
@Suite struct CLIPTokenizerTests {
    private let folder: TokenizerFolder
    private let tokenizer: CLIPTokenizer

    init() throws {
        folder = try TokenizerFolder()
        tokenizer = try folder.tokenizer()
    }

    @Test func whatHasNoRoomIsTold() {
        let encoding = tokenizer.encode("cat dog cat dog cat dog cat dog Cat, Ünder DOG")
        #expect(encoding.ids == [517, 513, 515, 513, 515, 513, 515, 513, 515, 518])
        #expect(encoding.tokenCount == 19)
        #expect(encoding.lostTokenCount == 9)
        #expect(encoding.lostText == "cat , ünder dog")
    }

    @Test func whatHasRoomIsWhole() {
        let encoding = tokenizer.encode("cat dog cat dog cat dog cat dog")
        #expect(encoding.tokenCount == 10)
        #expect(encoding.lostTokenCount == 0)
        #expect(encoding.lostText == "")
    }

    @Test(arguments: [-1, 0, 1, 2]) func theStartAndTheEndAlwaysHaveRoom(_ length: Int) {
        let encoding = tokenizer.encode("cat dog", paddedTo: length)
        #expect(encoding.ids == [517, 518])
        #expect(encoding.lostText == "cat dog")
    }

    @Test func aLengthOfOnesOwn() {
        #expect(tokenizer.encode("cat dog", paddedTo: 3).ids == [517, 513, 518])
        #expect(tokenizer.encode("cat dog", paddedTo: 6).ids == [517, 513, 515, 518, 518, 518])
        #expect(tokenizer.encode("cat dog", paddedTo: nil).ids == [517, 513, 515, 518])
    }

    @Test func unknownIdsAreLeftOut() {
        #expect(tokenizer.decode([513, -1, 1_000_000, 515]) == "cat dog")
    }

    /// A letter of several bytes is cut where the room ends.
    @Test func aCutLetterIsNoCrash() {
        #expect(
            tokenizer.encode("猫", paddedTo: 3).lostText.unicodeScalars.allSatisfy {
                $0 == "\u{FFFD}"
            })
    }

    /// Each takes a second at most when it is optimized; a quadratic step would take hours.
    @Test(
        .timeLimit(.minutes(5)),
        arguments: [
            "a", "cat ", "!", " ", "\n\u{3000}", "ca", "\u{301}\u{323}", "<|endoftex",
            "<|endoftext|>", "'s", "\u{F73}", "한",
        ])
    func longTextsTakeLinearTime(_ part: String) {
        let count = 200_000 / part.utf8.count
        let text = "x" + String(repeating: part, count: count)
        let encoding = tokenizer.encode(text)
        #expect(encoding.ids.count == 10)
        #expect(encoding.tokenCount == 10 + encoding.lostTokenCount || encoding.lostTokenCount == 0)
    }
}
