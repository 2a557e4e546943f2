#include "log/memory_state.h"

#include <map>

#include "base/assert.h"

namespace helios::log {

namespace {

class MemoryState final : public State {
public:
    const std::optional<CheckpointHeader>& began_from() const override { return began_from_; }

    Result<std::optional<std::string>> get(std::string_view key) override {
        const auto found = entries_.find(key);
        return found == entries_.end() ? std::optional<std::string>() : found->second;
    }

    Status scan(std::string_view prefix,
                const std::function<Status(std::string_view, std::string_view)>& entry) override {
        for (auto at = entries_.lower_bound(prefix);
             at != entries_.end() && at->first.starts_with(prefix); ++at) {
            HELIOS_TRY(entry(at->first, at->second));
        }
        return {};
    }

    void put(std::string key, std::string value) override {
        HELIOS_ASSERT(!key.empty(), "a key has at least one byte");
        entries_.insert_or_assign(std::move(key), std::move(value));
        ++changes_;
    }
    void erase(std::string key) override {
        HELIOS_ASSERT(!key.empty(), "a key has at least one byte");
        entries_.erase(key);
        ++changes_;
    }
    std::size_t changes() const override { return changes_; }

    void freeze(CheckpointHeader) override { changes_ = 0; }
    Status write() override { return {}; }

private:
    const std::optional<CheckpointHeader> began_from_;
    std::map<std::string, std::string, std::less<>> entries_;
    std::size_t changes_ = 0;
};

class MemoryStates final : public StateDirectory {
public:
    Result<std::unique_ptr<State>> open(std::uint32_t, const JudgeCheckpoint&,
                                        std::vector<PassedOver>&) override {
        return std::make_unique<MemoryState>();
    }
    Status reject(std::uint32_t) override { return {}; }
    std::optional<Offset> kept_from(std::uint32_t) const override { return std::nullopt; }
};

}  // namespace

std::unique_ptr<StateDirectory> memory_states() {
    return std::make_unique<MemoryStates>();
}

}  // namespace helios::log
