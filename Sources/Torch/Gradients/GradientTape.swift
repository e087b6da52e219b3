/// The record of one computation, by which gradients go from its result back to the tensors that it
/// watches: reverse-mode differentiation (Linnainmaa, 1976; Griewank and Walther, 2008, section 3.2).
///
/// libtorch's own record cannot be read through its stable C ABI, so it is kept here. Operations are
/// recorded in the order of the computation; a result knows its place in the record (`Trace`), and
/// only an operation on such a tensor is recorded. Everything else, and everything outside of
/// `withGradients`, costs a look whether there is a trace.
final class GradientTape {
    /// Entries stand behind everything that they were computed from, the watched tensors first.
    private var entries: [Entry] = []
    private var watched: [Watched] = []
    /// Whether operations on traced tensors are recorded: not on the way back, and never after it.
    private(set) var isRecording = true

    private struct Entry {
        /// Empty for a watched tensor.
        var paths: [Path]
    }

    /// A path with the places of its targets in the record.
    private struct Path {
        /// nil where a target is not recorded.
        let targets: [Int?]
        let send: (Tensor) throws -> [Tensor?]
    }

    private struct Watched {
        let tensor: Tensor
        /// What the tensor was in another record before; it is again when this one is closed.
        let before: Trace?
    }

    // MARK: - Recording

    /// Starts a record that watches `tensors`.
    init(watching tensors: [Tensor]) {
        for tensor in tensors where tensor.trace?.tape !== self {
            watched.append(Watched(tensor: tensor, before: tensor.trace))
            tensor.trace = Trace(tape: self, place: entries.count)
            entries.append(Entry(paths: []))
        }
    }

    /// The tape that records operations on these tensors, if there is one.
    /// - Throws: `GradientError.severalTapes`.
    static func recording(_ inputs: [Tensor?]) throws -> GradientTape? {
        var found: GradientTape?
        for input in inputs {
            guard let tape = input?.trace?.tape, tape.isRecording else { continue }
            guard found == nil || found === tape else { throw GradientError.severalTapes }
            found = tape
        }
        return found
    }

    /// Records how the gradient of `result` goes back. Paths that lead to nothing recorded are
    /// dropped, with whatever they kept.
    func record(_ result: Tensor, _ paths: [GradientPath]) {
        let kept = paths.compactMap { path -> Path? in
            let targets = path.targets.map { place(of: $0) }
            guard targets.contains(where: { $0 != nil }) else { return nil }
            let wanted = targets.map { $0 != nil }
            // Not the path itself, which holds the targets.
            let send = path.send
            return Path(targets: targets) { try send($0, wanted) }
        }
        result.trace = Trace(tape: self, place: entries.count)
        entries.append(Entry(paths: kept))
    }

    private func place(of tensor: Tensor?) -> Int? {
        guard let trace = tensor?.trace, trace.tape === self else { return nil }
        return trace.place
    }

    // MARK: - The way back

    /// The gradients of `result` with respect to `tensors`, which are watched; nil for those that it
    /// does not depend on. Ends the recording; entries are freed as they are passed.
    ///
    /// - Throws: `GradientError.notScalar`, `.notRecorded`.
    func gradients(of result: Tensor, for tensors: [Tensor]) throws -> [Tensor?] {
        isRecording = false
        guard result.count == 1, try result.dtype.isFloatingPoint else {
            throw GradientError.notScalar(shape: result.shape, dtype: try result.dtype)
        }
        guard let last = place(of: result) else { throw GradientError.notRecorded }
        entries.removeSubrange((last + 1)...)
        var gradients = [Tensor?](repeating: nil, count: entries.count)
        gradients[last] = try .ones(like: result)
        while entries.count > watched.count {
            let entry = entries.removeLast()
            guard let gradient = gradients.removeLast() else { continue }
            for path in entry.paths {
                for case (let target?, let part?) in zip(path.targets, try path.send(gradient)) {
                    gradients[target] = try gradients[target].map { try $0 + part } ?? part
                }
            }
        }
        return tensors.map { place(of: $0).flatMap { $0 < gradients.count ? gradients[$0] : nil } }
    }

    /// Ends the recording, if it goes on, and forgets everything.
    func close() {
        isRecording = false
        entries = []
        for entry in watched.reversed() { entry.tensor.trace = entry.before }
        watched = []
    }
}

/// A tensor's place in a record.
struct Trace {
    let tape: GradientTape
    let place: Int
}
