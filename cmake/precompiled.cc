// Nothing: what a target of precompiled headers has to have (cmake/Precompiled.cmake).
