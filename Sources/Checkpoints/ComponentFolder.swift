import Files
import Glibc
import Torch

/// The folder of one component in a diffusers model, such as `<model>/vae`: a configuration and
/// weights.
public enum ComponentFolder {
    /// Variants taken, in this order, where the folder has no full-precision weights.
    private static let fallbackVariants = ["fp16", "bf16"]

    /// Opens a component's weights, under today's names.
    ///
    /// Of several files the one is taken that diffusers (or transformers, for text encoders) takes;
    /// safetensors before pickles, as both do.
    ///
    /// - Parameters:
    ///   - folder: the component's.
    ///   - variant: "fp16" takes `diffusion_pytorch_model.fp16.safetensors` and the like, and nothing
    ///     else. Without it plain names come first, then fp16, then bf16.
    ///   - library: that the tensors are of.
    /// - Throws: `CheckpointError.weightsNotFound` with what was looked for and what is there, or
    ///   what is wrong with the file found.
    public static func open(
        _ folder: String, variant: String? = nil, in library: LibTorch
    ) throws -> any TensorSource {
        let path = try weights(in: folder, variant: variant)
        let source: any TensorSource =
            if path.hasSuffix(".json") {
                try ShardedCheckpoint(path: path, in: library)
            } else if path.hasSuffix(".safetensors") {
                try SafetensorsFile(path: path, in: library)
            } else {
                try TorchFile(path: path, in: library)
            }
        return try RenamedSource.withCurrentNames(source)
    }

    /// The files that `open` reads: one with all weights, or an index and its shards.
    /// - Throws: as `open`.
    public static func files(of folder: String) throws -> [String] {
        let path = try weights(in: folder, variant: nil)
        guard path.hasSuffix(".json") else { return [path] }
        let shards = try ShardIndex(contentsOf: path).weightMap.values
        return [path] + Set(shards).sorted().map { "\(folder)/\($0)" }
    }

    /// The file with the weights, or the index of its shards.
    private static func weights(in folder: String, variant: String?) throws -> String {
        let candidates =
            variant.map { fileNames(variant: $0) }
            ?? ([nil] + fallbackVariants).flatMap(fileNames)
        guard let name = candidates.first(where: { isFile("\(folder)/\($0)") }) else {
            throw CheckpointError.weightsNotFound(
                folder: folder, lookedFor: candidates, found: FolderContents.names(in: folder))
        }
        return "\(folder)/\(name)"
    }

    /// The names to look for, best first. diffusers prefers an index to a whole file, transformers
    /// a whole file to an index.
    private static func fileNames(variant: String?) -> [String] {
        [
            index("diffusion_pytorch_model", "safetensors", variant),
            [file("diffusion_pytorch_model", "safetensors", variant)],
            [file("diffusion_pytorch_model", "bin", variant)],
            index("diffusion_pytorch_model", "bin", variant),
            [file("model", "safetensors", variant)],
            index("model", "safetensors", variant),
            [file("pytorch_model", "bin", variant)],
            index("pytorch_model", "bin", variant),
        ].flatMap { $0 }
    }

    private static func file(_ base: String, _ suffix: String, _ variant: String?) -> String {
        "\(base).\(variant.map { "\($0)." } ?? "")\(suffix)"
    }

    /// A variant's index has two spellings: diffusers' of today and its legacy one.
    private static func index(_ base: String, _ suffix: String, _ variant: String?) -> [String] {
        guard let variant else { return ["\(base).\(suffix).index.json"] }
        return [
            "\(base).\(suffix).index.\(variant).json", "\(base).\(suffix).\(variant).index.json",
        ]
    }

    /// Whether a file is there, by itself or through a symbolic link.
    private static func isFile(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    }
}
