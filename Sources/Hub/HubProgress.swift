/// What a fetch is doing, for a progress bar.
public enum HubProgress: Sendable, Equatable {
    /// Files arrive.
    case receiving(HubTransfer)
    /// Nothing happens for a while: the next attempt is due in so many seconds, or another process
    /// is fetching the same file.
    case waiting(seconds: Double, reason: String)
    /// The hub could not be asked, for this reason; what was fetched before is taken.
    case usingKeptCopy(folder: String, reason: String)
}

/// How far a fetch has come.
public struct HubTransfer: Sendable, Equatable {
    /// The file on its way, as "unet/diffusion_pytorch_model.safetensors"; empty while the hub is
    /// asked what there is.
    public let file: String
    /// Bytes of the files that were missing: those here by now, and all. What an earlier run had
    /// fetched of them counts as here.
    public let receivedBytes: Int
    public let totalBytes: Int
    /// Over the last seconds. 0 until something has come.
    public let bytesPerSecond: Double
}
