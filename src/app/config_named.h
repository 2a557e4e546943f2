#pragma once
/// Options of sources that have no rows of their own in the table: `sources.NAME.rate`, and of
/// queues beside the three, `sources.NAME.pull`. A name is any that a source may have but those of
/// the table.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/config.h"

namespace helios::app {

/// nullopt: no option of a named source.
std::optional<Setting> named_setting(std::string_view key);
/// Whether such options' names go on behind it: "sources.shop", "sources.shop.pull".
bool is_part_of_named(std::string_view key);
/// "sources.shop.rate" of HELIOS_SOURCES_SHOP_RATE: of the names that the configuration has, else
/// in lower case. nullopt: it sets none.
std::optional<std::string> named_key_of(std::string_view variable, const Config& config);
/// Those that are set.
std::vector<Setting> named_settings_of(const Config& config);
/// Their rows for the reference, with NAME for the name.
std::vector<Setting> named_reference();

/// What is wrong with them beside the rest.
Status check_named(const Config& config);
/// Bounds of sources that nothing here names: a slip of the pen, most likely. `flows` may name
/// some.
std::vector<Error> unnamed_sources(const Config& config,
                                   const std::vector<std::string>& sources_of_flows);

}  // namespace helios::app
