import Checkpoints
import Diffusion
import FoundationEssentials
import Torch

/// The parts of a model without conditions, a UNet and a scheduler, each loaded when it is first used.
public final class UnconditionalComponents {
    public let folder: String
    public let dtype: DType
    public let device: Device
    public let library: LibTorch

    private let unetPart: LazyPart<UNet2DModel>
    private let schedulerSettingsPart: LazyPart<SchedulerSettings>

    /// - Parameters:
    ///   - folder: in the diffusers layout, `unet` and `scheduler` in it, or both of them in the folder
    ///     itself as the first such models have it.
    ///   - unetFolder: the UNet's own folder, where it is not in `folder`.
    ///   - dtype: that the model runs in, whatever the files hold.
    ///   - device: the first NVIDIA device if there is one, else the CPU, unless given.
    ///   - precision: how exactly float32 is computed on a CPU, or `.reduced`.
    /// - Throws: `TorchError` without a usable libtorch or device. Files are opened later.
    public init(
        folder: String, unetFolder: String? = nil, dtype: DType = .float32, device: Device? = nil,
        precision: Precision = .default
    ) throws {
        let library = try LibTorch.shared()
        let device = device ?? .best(in: library)
        try device.checkAvailable(in: library)
        let dtype = precision == .reduced && dtype == .float32 ? .bfloat16 : dtype
        self.folder = folder
        self.dtype = dtype
        self.device = device
        self.library = library
        let loader = PartLoader(
            dtype: dtype, device: device, precision: precision, library: library)
        unetPart = LazyPart {
            try Self.checkIndex(of: folder)
            return try loader.unconditionalUNet(unetFolder ?? Self.place(of: "unet", in: folder))
        }
        schedulerSettingsPart = LazyPart {
            try loader.schedulerSettings(Self.place(of: "scheduler", in: folder))
        }
    }

    public var unet: UNet2DModel { get throws { try unetPart.value } }

    /// What the scheduler's file says.
    public var schedulerSettings: SchedulerSettings {
        get throws { try schedulerSettingsPart.value }
    }

    /// The folder of a part, or that of the model.
    static func place(of part: String, in folder: String) -> String {
        let own = "\(folder)/\(part)"
        return ComponentFolders.isFolder(own) ? own : folder
    }

    /// Whether the model's index, if it has one, names such a UNet.
    /// - Throws: `ConfigurationError` that names the class that it has instead.
    private static func checkIndex(of folder: String) throws {
        let path = "\(folder)/model_index.json"
        guard FileManager.default.fileExists(atPath: path) else { return }
        let index = try ModelIndex(path: path)
        guard let name = index.classNames["unet"], name != "UNet2DModel" else { return }
        throw ConfigurationError.unsupported(
            path: path, key: "unet", value: "\"\(name)\"",
            supported: """
                "UNet2DModel" by this pipeline; the model is one for \
                \(index.pipelineClassName ?? "another one")
                """)
    }
}
