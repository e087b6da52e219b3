import Checkpoints
import Diffusion
import Files
import FoundationEssentials
import Torch

/// The model that training starts from, in diffusers' layout: a whole pipeline, or one component alone.
///
/// What is trained is saved as a copy of it with other weights.
struct StartingModel {
    let folder: String
    let library: LibTorch
    /// Whether there is a folder for each component; else the folder is the component's.
    let isPipeline: Bool

    /// - Parameters:
    ///   - folder: with `model_index.json` for a pipeline, with `config.json` for a component.
    ///   - library: that the tensors will be of.
    init(folder: String, in library: LibTorch) {
        self.folder = folder
        self.library = library
        isPipeline = FileManager.default.fileExists(atPath: "\(folder)/model_index.json")
    }

    /// The folder of a component.
    func component(_ name: String) -> String { isPipeline ? "\(folder)/\(name)" : folder }

    func configuration(of name: String) -> String { "\(component(name))/config.json" }

    /// A component's weights, to be trained: each tensor is kept in `parameters`.
    func weights(
        of name: String, dtype: DType, device: Device, keepingIn parameters: Parameters
    ) throws -> Weights {
        Weights(
            try ComponentFolder.open(component(name), in: library), dtype: dtype, device: device,
            keepingIn: parameters)
    }

    /// Copies the model with other weights for some components.
    ///
    /// - Parameters:
    ///   - weights: by the names of components, then of parameters.
    ///   - dtype: that they are stored in; the other components stay as they are.
    ///   - path: where to; what is there is replaced. The folder is there whole or not at all.
    func save(_ weights: [String: [String: Tensor]], as dtype: DType, to path: String) throws {
        try PendingFolder.write(to: path, replacing: true) {
            try save(weights, as: dtype, into: $0)
        }
    }

    private func save(
        _ weights: [String: [String: Tensor]], as dtype: DType, into path: String
    ) throws {
        let replaced = isPipeline ? weights.keys.map { "\($0)/" } : [""]
        for file in FolderContents.files(under: folder) {
            let isOfReplaced = replaced.contains { file.hasPrefix($0) }
            guard !isOfReplaced || !Self.isWeights(file) else { continue }
            if let slash = file.lastIndex(of: "/") {
                try PendingFolder.make("\(path)/\(file[..<slash])")
            }
            try AtomicFile.write(
                FileBytes.of("\(folder)/\(file)"), to: "\(path)/\(file)")
        }
        for (name, tensors) in weights {
            let place = isPipeline ? "\(path)/\(name)" : path
            try SafetensorsWriter.write(
                tensors.mapValues { try $0.converted(to: dtype) },
                to: "\(place)/\(Self.fileName(of: name))")
        }
    }

    private static let suffixes = [
        ".safetensors", ".bin", ".safetensors.index.json", ".bin.index.json",
    ]

    private static func isWeights(_ file: String) -> Bool {
        suffixes.contains { file.hasSuffix($0) } || file.contains(".index.")
    }

    /// transformers has another name than diffusers.
    private static func fileName(of component: String) -> String {
        component == "text_encoder"
            ? "model.safetensors" : "diffusion_pytorch_model.safetensors"
    }
}

extension [String: Tensor] {
    /// The first digits of the SHA-256 of all values, in the order of the names: tells weights from others.
    func digest() throws -> String {
        var hash = SHA256()
        for (name, tensor) in sorted(by: { $0.key < $1.key }) {
            Array(name.utf8).withUnsafeBytes { hash.add($0) }
            try tensor.moved(to: .cpu).contiguous().withUnsafeBytes { hash.add($0) }
        }
        return String(hash.hexDigest.prefix(16))
    }
}
