@testable import Checkpoints

extension CheckpointError {
    /// The file that the error names.
    var path: String {
        switch self {
        case .cannotOpen(let path, _), .malformed(let path, _, _), .refused(let path, _, _),
            .unsupportedDType(let path, _, _), .missingTensor(let path, _),
            .shapeMismatch(let path, _, _, _), .unusedTensors(let path, _),
            .weightsNotFound(let path, _, _), .unknownLayout(let path, _):
            path
        }
    }

    /// The place in the file that the error names.
    var place: String? {
        switch self {
        case .malformed(_, let place, _), .refused(_, let place, _): place
        case .unsupportedDType(_, let name, _): "tensor \(name)"
        default: nil
        }
    }
}
