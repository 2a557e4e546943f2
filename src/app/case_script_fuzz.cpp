// A script of any bytes is parsed or refused with its line; what is parsed has words that can be
// read.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "app/case_script.h"
#include "base/assert.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto script =
        helios::app::read_case_script({reinterpret_cast<const char*>(data), size}, "f");
    for (const auto& error : script.errors) {
        HELIOS_ASSERT(error.what.starts_with("f:"), "a complaint names its line");
    }
    for (const auto& scripted : script.cases) {
        for (const auto& step : scripted.steps) {
            HELIOS_ASSERT(
                step.verb != "at" || helios::app::parse_case_time(step.words.at(0)).has_value(),
                "an event has a time");
        }
    }
    return 0;
}
