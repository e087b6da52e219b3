import Checkpoints
import Files
import TestSupport
import Testing
import Torch

@testable import Diffusion

/// Models saved here: diffusers and transformers load them and compute the same, and so does this
/// package.
@Suite struct SavedComponentTests {
    private let library: LibTorch
    private let folder: TemporaryFolder

    init() throws {
        library = try LibTorch.shared()
        folder = try TemporaryFolder()
    }

    @Test func theirsSavedHereAreTheSame() throws {
        let reference = PythonReference("saving_reference.py")
        let names: [String] = try reference.run("make", folder.path)
        #expect(names.count == 8)
        for name in names {
            switch name.split(separator: "-").first {
            case "plain":
                try save(name, UNet2DConfiguration.init(path:)) {
                    _ = try UNet2DModel($0, configuration: $1, in: library)
                }
            case "unet":
                try save(name, UNet2DConditionConfiguration.init(path:)) {
                    _ = try UNet2DConditionModel($0, configuration: $1, in: library)
                }
            case "autoencoder":
                try save(name, AutoencoderKLConfiguration.init(path:)) {
                    try AutoencoderKL($0, configuration: $1).load()
                }
            default:
                try save(name, CLIPTextConfiguration.init(path:)) {
                    _ = try CLIPTextModel($0, configuration: $1, in: library)
                }
            }
        }
        let faults: [String] = try reference.run("compare", folder.path)
        #expect(faults == [])
    }

    /// Loads a model, saves what it was built of, and loads that again.
    private func save<Configuration: SavedConfiguration & Equatable>(
        _ name: String, _ read: (String) throws -> Configuration,
        _ build: (Weights, Configuration) throws -> Void
    ) throws {
        func load(_ path: String) throws -> (Configuration, [String: Tensor]) {
            let parameters = Parameters()
            let configuration = try read("\(path)/config.json")
            let source = try ComponentFolder.open(path, in: library)
            try build(Weights(source, keepingIn: parameters), configuration)
            return (configuration, parameters.tensors)
        }
        let place = folder.file(name)
        let (configuration, tensors) = try load("\(place)/theirs")
        try SavedComponent.model(configuration, parameters: tensors).save(to: "\(place)/ours")
        try SavedComponent.model(configuration, parameters: tensors, dtype: .float16)
            .save(to: "\(place)/half")

        let (configurationAgain, tensorsAgain) = try load("\(place)/ours")
        #expect(configurationAgain == configuration)
        let prefix = Configuration.savedName("")
        #expect(Set(tensorsAgain.keys) == Set(tensors.keys.map { prefix + $0 }))
        for (name, tensor) in tensors {
            #expect(
                try #require(tensorsAgain[prefix + name]).elements(as: Float.self)
                    == tensor.elements(as: Float.self), "\(name)")
        }
    }

    @Test(arguments: Schedulers.all.map { $0.name })
    func aSchedulerComesBack(name: String) throws {
        let scheduler = try Schedulers.type(named: name).init(
            SchedulerSettings(["num_train_timesteps": .integer(321)]))
        try SavedComponent.scheduler(scheduler.settings).save(to: folder.file("scheduler"))
        let settings = try SchedulerSettings(
            path: folder.file("scheduler/scheduler_config.json"))
        #expect(settings.className == name)
        // The scheduler that is made of them tells 1 from 1.0 no more.
        #expect(try Schedulers.scheduler(settings).settings == scheduler.settings)
    }

    @Test func whatCannotBeSavedIsNamedAndLeavesNothing() throws {
        #expect(throws: ConfigurationError.self) {
            try SavedComponent.scheduler(SchedulerSettings())
        }
        let missing = SavedComponent.tokenizer(copiedFrom: folder.file("missing"))
        #expect(throws: ConfigurationError.notFound(path: folder.file("missing"))) {
            try missing.save(to: folder.file("tokenizer"))
        }
        let scheduler = try SavedComponent.scheduler(
            Schedulers.type(named: "DDPMScheduler").init(SchedulerSettings()).settings)
        let model = SavedModel.ddpm(unet: missing, scheduler: scheduler)
        #expect(throws: ConfigurationError.self) { try model.save(to: folder.file("model")) }
        #expect(try folder.contents().isEmpty)
        try scheduler.save(to: folder.file("scheduler"))
        #expect(throws: OccupiedPath(path: folder.file("scheduler"))) {
            try scheduler.save(to: folder.file("scheduler"))
        }
        try scheduler.save(to: folder.file("scheduler"), replacing: true)
        #expect(try folder.contents() == ["scheduler"])
    }
}
