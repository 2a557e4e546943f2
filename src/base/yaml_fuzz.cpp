// Any bytes: a tree or an error with a place, never a crash, an exception or endless work.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/yaml.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto doc = helios::yaml::parse(text, "fuzz.yaml");
    if (!doc && doc.error().what.rfind("fuzz.yaml:", 0) != 0) {
        __builtin_trap();
    }
    return 0;
}
