#pragma once
/// Which seeds a simulation runs. Only for test programs.

#include <cstdint>
#include <cstdlib>
#include <gtest/gtest.h>
#include <iostream>
#include <string>

namespace helios::log {

/// Runs the simulation for one seed after the other, from 1, until one fails: `usually` so many;
/// HELIOS_SIM_RUNS says otherwise, HELIOS_SIM_SEED begins at that one and runs it alone unless
/// HELIOS_SIM_RUNS says more.
template <class Run>
void run_seeds(std::uint64_t usually, Run run) {
    const auto number = [](const char* name, std::uint64_t otherwise) {
        const char* text = std::getenv(name);
        return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
    };
    const std::uint64_t wanted = number("HELIOS_SIM_SEED", 0);
    const std::uint64_t first = wanted != 0 ? wanted : 1;
    const std::uint64_t runs = number("HELIOS_SIM_RUNS", wanted != 0 ? 1 : usually);
    std::cout << "seeds " << first << ".." << first + runs - 1
              << " (HELIOS_SIM_SEED, HELIOS_SIM_RUNS)\n";
    for (std::uint64_t seed = first; seed < first + runs; ++seed) {
        const std::string name = "HELIOS_SIM_SEED=" + std::to_string(seed);
        SCOPED_TRACE(name);
        run(seed);
        if (::testing::Test::HasFailure()) {
            std::cout << "failed with " << name << "\n";
            return;
        }
    }
}

}  // namespace helios::log
