#include "log/state.h"

#include <filesystem>
#include <map>

#include "base/mutex.h"
#include "log/checkpoints.h"
#include "log/disk_state.h"
#include "log/live_files.h"
#include "log/memory_state.h"
#include "log/posix_disk.h"

namespace helios::log {

namespace {

class DiskStates final : public StateDirectory {
public:
    DiskStates(StateOptions options, const LogId& log)
        : options_(std::move(options)),
          log_(log),
          own_disk_(options_.disk == nullptr ? posix_disk() : nullptr),
          disk_(own_disk_ ? *own_disk_ : *options_.disk),
          for_all_{live_files(options_.env), state_cache(options_.cache_bytes), options_.shrink} {}

    Result<std::unique_ptr<State>> open(std::uint32_t partition, const JudgeCheckpoint& judge,
                                        std::vector<PassedOver>& passed_over) override;
    Status reject(std::uint32_t partition) override { return of(partition).reject(); }
    std::optional<Offset> kept_from(std::uint32_t partition) const override {
        return of(partition).kept_from();
    }

private:
    Checkpoints& of(std::uint32_t partition) const;

    const StateOptions options_;
    const LogId log_;
    const std::unique_ptr<Disk> own_disk_;
    Disk& disk_;
    const DiskStateOptions for_all_;
    mutable Mutex mutex_;
    mutable std::map<std::uint32_t, std::unique_ptr<Checkpoints>> partitions_
        HELIOS_GUARDED_BY(mutex_);
};

Checkpoints& DiskStates::of(std::uint32_t partition) const {
    const MutexLock lock(mutex_);
    auto& checkpoints = partitions_[partition];
    if (!checkpoints) {
        checkpoints = std::make_unique<Checkpoints>(
            disk_, options_.directory + "/" + std::to_string(partition), log_, options_.topic,
            partition, options_.after_step);
    }
    return *checkpoints;
}

Result<std::unique_ptr<State>> DiskStates::open(std::uint32_t partition,
                                                const JudgeCheckpoint& judge,
                                                std::vector<PassedOver>& passed_over) {
    Checkpoints& checkpoints = of(partition);
    HELIOS_TRY(checkpoints.clean());
    HELIOS_TRY_ASSIGN(const auto offsets, checkpoints.list());
    for (const Offset at : offsets) {
        const auto pass_over = [&](Error why) {
            passed_over.push_back({checkpoints.path_of(at), std::move(why)});
        };
        const auto content = checkpoints.check(at);
        if (!content) {
            pass_over(content.error());
            continue;
        }
        if (const auto judged = judge ? judge(content->header) : Status{}; !judged) {
            pass_over(judged.error());
            continue;
        }
        auto state = open_disk_state(checkpoints, *content, for_all_);
        if (state) {
            HELIOS_TRY(checkpoints.begin_from(at));
            return state;
        }
        if (state.error().kind != ErrorKind::corrupt) {
            return state;
        }
        pass_over(std::move(state).error());
        HELIOS_TRY(checkpoints.clean());
    }
    HELIOS_TRY(checkpoints.begin_from(std::nullopt));
    return open_disk_state(checkpoints, std::nullopt, for_all_);
}

}  // namespace

Result<std::unique_ptr<StateDirectory>> StateDirectory::open(StateOptions options,
                                                             const LogId& log) {
    if (options.directory.empty()) {
        return memory_states();
    }
    if (options.disk == nullptr) {
        options.directory = std::filesystem::absolute(options.directory).string();
    }
    auto states = std::make_unique<DiskStates>(std::move(options), log);
    return states;
}

}  // namespace helios::log
