import Diffusion

/// `gpi_scheduler`: a scheduler with its facts in memory that stays where it is.
final class SchedulerBox {
    var scheduler: any Scheduler
    let name: UnsafeMutableBufferPointer<CChar>
    let settings: UnsafeMutableBufferPointer<CChar>
    private(set) var timesteps: UnsafeMutableBufferPointer<Double>
    private(set) var sigmas: UnsafeMutableBufferPointer<Double>

    init(_ scheduler: any Scheduler) throws {
        let text = try scheduler.settings.json()
        self.scheduler = scheduler
        name = copied(type(of: scheduler).name.utf8CString)
        settings = copied(text.utf8CString)
        timesteps = copied(scheduler.timesteps)
        sigmas = copied(scheduler.sigmas)
    }

    func setTimesteps(_ steps: Int) throws {
        try scheduler.setTimesteps(steps)
        timesteps.deallocate()
        sigmas.deallocate()
        timesteps = copied(scheduler.timesteps)
        sigmas = copied(scheduler.sigmas)
    }

    deinit {
        name.deallocate()
        settings.deallocate()
        timesteps.deallocate()
        sigmas.deallocate()
    }
}

/// The names of all schedulers as C strings that are never freed.
enum SchedulerNames {
    nonisolated(unsafe) static let all: UnsafeMutableBufferPointer<UnsafePointer<CChar>?> = copied(
        Schedulers.all.map { UnsafePointer(copied($0.name.utf8CString).baseAddress) })
}

/// Elements in memory that stays where it is until it is deallocated.
private func copied<Element>(_ elements: some Collection<Element>)
    -> UnsafeMutableBufferPointer<Element>
{
    let buffer = UnsafeMutableBufferPointer<Element>.allocate(capacity: elements.count)
    _ = buffer.initialize(from: elements)
    return buffer
}
