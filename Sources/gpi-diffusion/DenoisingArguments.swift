import ArgumentParser
import GPIDiffusion

/// How the reverse process runs; the same for all commands that run it.
struct DenoisingArguments: ParsableArguments {
    @Option(help: "Steps of the solver.")
    var steps = 50

    @Option(help: "How strongly the prompt is followed; 1 and less for no guidance.")
    var guidanceScale = 7.5

    @Option(
        help: """
            Makes a picture again: equal seeds give equal pictures. One is drawn and shown unless given; \
            with --count the next pictures take the next seeds.
            """)
    var seed: UInt64?

    @Option(help: "Number of pictures.")
    var count = 1

    func validate() throws {
        guard steps >= 1 else { throw ValidationError("--steps: \(steps) is less than 1.") }
        guard count >= 1 else { throw ValidationError("--count: \(count) is less than 1.") }
        guard guidanceScale.isFinite else {
            throw ValidationError("--guidance-scale: \(guidanceScale) is not a finite number.")
        }
    }

    /// The seeds of all pictures.
    func seeds() -> [UInt64] {
        // Of 32 bits: that is what the generator uses, and what a person can type.
        let first = seed ?? UInt64(UInt32.random(in: 0...UInt32.max))
        return (0..<UInt64(count)).map { first &+ $0 }
    }
}
