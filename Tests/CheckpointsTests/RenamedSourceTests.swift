import TestSupport
import Testing
import Torch

@testable import Checkpoints

@Suite struct RenamedSourceTests {
    @Test func attentionIsRenamedAsDiffusersDoes() throws {
        let expected: [String: String] = try Reference.script.run("attention_names")
        #expect(expected.contains { $0.key != $0.value })
        for (stored, name) in expected {
            #expect(RenamedSource.currentName(of: stored) == name)
        }
    }

    @Test(arguments: [
        "query.weight", "attentions.0.query", "attentions.x.query.weight", "blocks.0.key.weight",
        "a.attentions.0.query.scale", "a.attentions.0.transformer_blocks.0.key.weight", "", "....",
    ])
    func otherNamesStay(name: String) {
        #expect(RenamedSource.currentName(of: name) == name)
    }

    @Test func tensorsAreFoundUnderTodaysName() throws {
        let library = try LibTorch.shared()
        let old = "encoder.mid_block.attentions.0.proj_attn.bias"
        let today = "encoder.mid_block.attentions.0.to_out.0.bias"
        let tensor = try Tensor([1, 2] as [Float], shape: [2], in: library)
        let source = try RenamedSource.withCurrentNames(InMemorySource([old: tensor]))
        #expect(source.names == [today])
        #expect(source.contains(today) && !source.contains(old))
        #expect(try source.tensor(named: today) === tensor)
        #expect(try source.spec(of: today).shape == [2])
        #expect(throws: CheckpointError.missingTensor(path: "memory", name: old)) {
            try source.tensor(named: old)
        }
    }

    @Test func twoTensorsOfOneNameAreAnError() throws {
        let tensor = try Tensor([1] as [Float], shape: [1], in: LibTorch.shared())
        let source = InMemorySource(["a": tensor, "b": tensor])
        let error = try #require(throws: CheckpointError.self) {
            try RenamedSource(source) { _ in "c" }
        }
        #expect("\(error)".contains("\"a\"") && "\(error)".contains("\"b\""))
    }
}
