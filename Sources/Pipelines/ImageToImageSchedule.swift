/// Where on the way from noise to picture an image-to-image run starts, and what it visits.
///
/// The arithmetic is that of gpi_pack's `get_hidden_states`, quirks included, so that results agree:
/// noise is added at one timestep and the loop starts at the index that `steps_offset` shifts.
public struct ImageToImageSchedule: Equatable, Sendable {
    /// The timestep whose share of noise is added to the latents.
    public let noiseTimestep: Double
    /// Index of the first timestep at which the UNet runs. Past the last one if none is reached though
    /// the strength is above 0: then the noised latents are the result.
    public let start: Int

    /// - Parameters:
    ///   - strength: above 0, up to 1.
    ///   - allTimesteps: those of all inference steps, from the noisiest to the cleanest.
    ///   - steps: their number as asked for.
    ///   - stepsOffset: of the scheduler.
    public init(strength: Double, allTimesteps: [Double], steps: Int, stepsOffset: Int) {
        // In float64: float32 gets (50, 0.58) wrong.
        let initial = min(Int(Double(steps) * strength) + stepsOffset, steps)
        // Python's timesteps[-0] is the first one.
        let noiseIndex = initial == 0 ? 0 : allTimesteps.count - initial
        start = max(steps - initial + stepsOffset, 0)
        noiseTimestep = allTimesteps.indices.contains(noiseIndex) ? allTimesteps[noiseIndex] : 0
    }
}
