/// Computes a loss, and its gradient with respect to each of the `parameters`.
///
///     let (loss, gradients) = try withGradients(of: parameters.tensors) {
///         try model(latents, timestep: 500, context: context).meanSquaredError(to: noise)
///     }
///
/// - Parameters:
///   - parameters: by their names; of a floating-point dtype.
///   - loss: computes one number from them. Operations in it are recorded as far as they depend on
///     the parameters. It must not write to a tensor that an operation in it has read.
/// - Returns: the loss, and the gradients of those parameters that it depends on, each of its
///   parameter's shape, dtype and device.
/// - Throws: `GradientError`, and whatever `loss` throws.
public func withGradients<Name: Hashable>(
    of parameters: [Name: Tensor], _ loss: () throws -> Tensor
) throws -> (loss: Tensor, gradients: [Name: Tensor]) {
    let names = Array(parameters.keys)
    let (loss, gradients) = try withGradients(of: names.compactMap { parameters[$0] }, loss)
    var named: [Name: Tensor] = [:]
    for (name, gradient) in zip(names, gradients) { named[name] = gradient }
    return (loss, named)
}

/// Computes a loss, and its gradient with respect to each of the `parameters`; nil for those that it
/// does not depend on. As with parameters by name.
public func withGradients(
    of parameters: [Tensor], _ loss: () throws -> Tensor
) throws -> (loss: Tensor, gradients: [Tensor?]) {
    let tape = GradientTape(watching: parameters)
    defer { tape.close() }
    let result = try loss()
    let gradients = try tape.gradients(of: result, for: parameters)
    return (try result.detached(), gradients)
}
