import Testing

@testable import Torch

@Suite struct InterruptionTests {
    private struct Stop: Error {}

    @Test func theCheckStopsTheNextOperation() throws {
        let library = try LibTorch.shared()
        let x = try Tensor([1, 2] as [Float], shape: [2], in: library)
        #expect(throws: Stop.self) {
            try Interruption.withCheck({ throw Stop() }) { _ = try x.silu() }
        }
        // Outside of the scope nothing is asked any more.
        #expect(try x.silu().shape == [2])
    }

    @Test func aCancelledTaskStops() async throws {
        let task = Task {
            let library = try LibTorch.shared()
            let x = try Tensor([1, 2] as [Float], shape: [2], in: library)
            while true { _ = try x.silu() }
        }
        try await Task.sleep(for: .milliseconds(20))
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
    }
}
