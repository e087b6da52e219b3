/// All schedulers, by the names that `scheduler_config.json` gives them.
public enum Schedulers {
    public static var all: [any Scheduler.Type] {
        [
            DDIMScheduler.self,
            DDPMScheduler.self,
            DPMSolverMultistepScheduler.self,
            EulerAncestralDiscreteScheduler.self,
            EulerDiscreteScheduler.self,
            HeunDiscreteScheduler.self,
            LMSDiscreteScheduler.self,
            PNDMScheduler.self,
            UniPCMultistepScheduler.self,
        ]
    }

    /// The scheduler of a name: diffusers' name of the class.
    /// - Throws: `SchedulerError.unknownScheduler`, which lists the known ones.
    public static func type(named name: String) throws -> any Scheduler.Type {
        guard let type = all.first(where: { $0.name == name }) else {
            throw SchedulerError.unknownScheduler(name, known: all.map { $0.name })
        }
        return type
    }

    /// The scheduler that the settings name in `_class_name`.
    /// - Throws: `SchedulerError.unknownScheduler`; `ConfigurationError` for values that it cannot use.
    public static func scheduler(_ settings: SchedulerSettings) throws -> any Scheduler {
        guard let name = settings.className else {
            throw ConfigurationError.unsupported(
                path: settings.origin, key: "_class_name", value: "absent",
                supported: "one of " + all.map { $0.name }.joined(separator: ", "))
        }
        return try type(named: name).init(settings)
    }
}
