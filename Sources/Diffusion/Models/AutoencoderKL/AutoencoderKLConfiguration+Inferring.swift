import Checkpoints

extension AutoencoderKLConfiguration {
    /// The configuration that Stable Diffusion's autoencoder has with such tensors. What no shape tells
    /// is as in the original's own configuration: 32 groups, the scaling factor 0.18215.
    ///
    /// - Parameter source: tensors named as in diffusers.
    /// - Throws: `CheckpointError` if a tensor is missing or has a shape that cannot be;
    ///   `ConfigurationError` if the sizes are not supported.
    public init(inferredFrom source: any TensorSource) throws {
        let shapes = TensorShapes(source: source)
        self.init()
        let levels = shapes.count("encoder.down_blocks", with: "resnets.0.conv1.weight")
        blockOutChannels = try (0..<levels).map {
            try shapes.kernel("encoder.down_blocks.\($0).resnets.0.conv1").to
        }
        downBlockTypes = [String](repeating: "DownEncoderBlock2D", count: levels)
        upBlockTypes = [String](repeating: "UpDecoderBlock2D", count: levels)
        layersPerBlock = shapes.count("encoder.down_blocks.0.resnets", with: "conv1.weight")
        inChannels = try shapes.kernel("encoder.conv_in").from
        outChannels = try shapes.kernel("decoder.conv_out").to
        latentChannels = try shapes.kernel("decoder.conv_in").from
        useQuantConv = shapes.contains("quant_conv.weight")
        usePostQuantConv = shapes.contains("post_quant_conv.weight")
        midBlockAddAttention = shapes.contains("encoder.mid_block.attentions.0.to_q.weight")
        try check(path: source.location)
    }
}
