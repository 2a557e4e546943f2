#pragma once
/// The process environment as a value: read once by main, passed to whoever may look at it.

#include <map>
#include <string>

namespace helios::app {

using Environment = std::map<std::string, std::string>;

}  // namespace helios::app
