"""Builds the quickstart against the package, and runs it where OPENROUTER_BASE_URL names a router, EMBEDROUTER_MODEL_DIR a model."""

import os
from pathlib import Path

from conan import ConanFile
from conan.tools.build import can_run
from conan.tools.cmake import CMake, cmake_layout


class QuickstartOfEmbedrouter(ConanFile):
    settings = "os", "arch", "compiler", "build_type"
    generators = "CMakeDeps", "CMakeToolchain", "VirtualRunEnv"

    def requirements(self):
        self.requires(self.tested_reference_str)

    def layout(self):
        cmake_layout(self)

    def build(self):
        cmake = CMake(self)
        cmake.configure(build_script_folder="../quickstart")
        cmake.build()

    def test(self):
        if not can_run(self):
            return
        programs = Path(self.build_folder, self.cpp.build.bindir)
        if "OPENROUTER_BASE_URL" in os.environ:
            self.run(str(programs / "quickstart"), env="conanrun")
        here = programs / "quickstart-local"
        if here.exists() and "EMBEDROUTER_MODEL_DIR" in os.environ:
            self.run(f'{here} "$EMBEDROUTER_MODEL_DIR" "a text" another', env="conanrun")
