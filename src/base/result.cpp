#include "base/result.h"

namespace helios {

std::string_view to_string(ErrorKind kind) {
    switch (kind) {
        case ErrorKind::invalid:
            return "invalid";
        case ErrorKind::not_found:
            return "not_found";
        case ErrorKind::conflict:
            return "conflict";
        case ErrorKind::denied:
            return "denied";
        case ErrorKind::exhausted:
            return "exhausted";
        case ErrorKind::unavailable:
            return "unavailable";
        case ErrorKind::timeout:
            return "timeout";
        case ErrorKind::corrupt:
            return "corrupt";
        case ErrorKind::stopping:
            return "stopping";
    }
    return "unknown";
}

std::string Error::message() const {
    if (hint.empty()) {
        return what;
    }
    return what + "; " + hint;
}

}  // namespace helios
