from hypothesis import settings

# A slow machine is no mistake of the engine.
settings.register_profile("engine", deadline=None)
settings.load_profile("engine")
