import CGPIDiffusion
@c @implementation
public func gpi_probe(_ a: Int32) -> Int32 { a + 1 }
