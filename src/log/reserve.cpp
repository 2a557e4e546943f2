#include "log/reserve.h"

#include <utility>

namespace helios::log {

Status Reserve::make() {
    if (is_there_ || bytes_ == 0) {
        return {};
    }
    auto made = [&]() -> Status {
        HELIOS_TRY_ASSIGN(auto file, disk_.open(path_, OpenMode::create));
        return file->preallocate(bytes_);
    }();
    is_there_ = made.has_value();
    if (!made) {
        static_cast<void>(disk_.remove(path_));
    }
    return made;
}

bool Reserve::give() {
    if (!std::exchange(is_there_, false)) {
        return false;
    }
    static_cast<void>(disk_.remove(path_));
    return true;
}

}  // namespace helios::log
