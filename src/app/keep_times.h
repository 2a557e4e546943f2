#pragma once
/// How long things are kept, as options are written: a duration, or "forever".

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace helios::app {

/// 0: for ever.
Result<Duration> parse_keep(std::string_view text);
std::string format_keep(Duration keep);

using KeepBySource = std::map<std::string, Duration, std::less<>>;

/// Items such as aws=48h.
Result<KeepBySource> parse_keep_by_source(const std::vector<std::string>& items);
std::string format_keep_by_source(const KeepBySource& keep);

}  // namespace helios::app
