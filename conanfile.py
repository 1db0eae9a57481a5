"""The SDK as a Conan 2 package:  conan create . --build=missing

The libraries it stands on are the system's (libcurl, simdjson, fast_float, tl-expected: `scripts/install-packages sdk` on
Debian), so that it builds without a network and without other recipes.
"""

import re
from pathlib import Path

from conan import ConanFile
from conan.tools.build import check_min_cppstd
from conan.tools.cmake import CMake, CMakeToolchain, cmake_layout
from conan.tools.files import copy


class Embedrouter(ConanFile):
    name = "embedrouter"
    license = "Apache-2.0"
    description = "C++ SDK for the embeddings API of OpenRouter, OpenAI-compatible servers and Embedrouter"
    topics = ("embeddings", "openrouter", "openai", "sdk")
    package_type = "library"
    settings = "os", "arch", "compiler", "build_type"
    options = {"shared": [True, False]}
    default_options = {"shared": False}
    exports_sources = "CMakeLists.txt", "LICENSE", "cmake/*", "include/*", "packaging/*", "src/*"

    def set_version(self):
        page = Path(self.recipe_folder, "CMakeLists.txt").read_text(encoding="utf-8")
        self.version = re.search(r"project\(embedrouter VERSION ([0-9.]+)", page).group(1)

    def layout(self):
        cmake_layout(self)

    def validate(self):
        check_min_cppstd(self, 20)

    def generate(self):
        toolchain = CMakeToolchain(self)
        toolchain.cache_variables["EMBEDROUTER_SDK_ONLY"] = True
        toolchain.cache_variables["EMBEDROUTER_TESTS"] = False
        toolchain.generate()

    def build(self):
        cmake = CMake(self)
        cmake.configure()
        cmake.build()

    def package(self):
        copy(self, "LICENSE", self.source_folder, str(Path(self.package_folder, "licenses")))
        CMake(self).install()

    def package_info(self):
        # Its own CMake package is the one to use, not one that Conan would write.
        self.cpp_info.set_property("cmake_find_mode", "none")
        self.cpp_info.builddirs = ["lib/cmake/embedrouter"]
        self.cpp_info.libs = ["embedrouter-client"]
        self.cpp_info.system_libs = ["pthread"] if self.options.shared else ["pthread", "curl", "simdjson"]
