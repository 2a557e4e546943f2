#pragma once
/// For tests of this room: a state in a map, whose entries a test may look at, keep and damage.

#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "log/state.h"

namespace helios::reconcile::test {

class MapState : public log::State {
public:
    using Entries = std::map<std::string, std::string>;

    MapState() = default;
    explicit MapState(Entries from) : entries(std::move(from)) {}

    const std::optional<log::CheckpointHeader>& began_from() const override { return began_from_; }
    Result<std::optional<std::string>> get(std::string_view key) override {
        const auto it = entries.find(std::string(key));
        return it == entries.end() ? std::nullopt : std::optional<std::string>(it->second);
    }
    Status scan(
        std::string_view prefix,
        const std::function<Status(std::string_view key, std::string_view value)>& entry) override {
        for (auto it = entries.lower_bound(std::string(prefix));
             it != entries.end() && it->first.starts_with(prefix); ++it) {
            HELIOS_TRY(entry(it->first, it->second));
        }
        return {};
    }
    void put(std::string key, std::string value) override {
        ++changes_;
        entries.insert_or_assign(std::move(key), std::move(value));
    }
    void erase(std::string key) override {
        ++changes_;
        entries.erase(key);
    }
    std::size_t changes() const override { return changes_; }
    void freeze(log::CheckpointHeader) override { changes_ = 0; }
    Status write() override { return {}; }

    Entries entries;

private:
    std::optional<log::CheckpointHeader> began_from_;
    std::size_t changes_ = 0;
};

}  // namespace helios::reconcile::test
