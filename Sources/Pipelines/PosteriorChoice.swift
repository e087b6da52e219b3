/// What is taken of the normal distribution that the autoencoder's encoder gives for a picture.
/// diffusers calls it `sample_mode`.
public enum PosteriorChoice: String, CaseIterable, Codable, Sendable {
    /// One draw, as gpi_pack takes it.
    case sample
    /// Its most probable point, without any noise.
    case mode
}
