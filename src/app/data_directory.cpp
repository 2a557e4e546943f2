#include "app/data_directory.h"

#include "app/files.h"
#include "log/posix_disk.h"
#include "model/topics.h"

namespace helios::app {
namespace {

template <log::RetentionClass retention, model::Kept kept>
constexpr bool same_number = static_cast<int>(retention) == static_cast<int>(kept);
static_assert(same_number<log::RetentionClass::data, model::Kept::data> &&
              same_number<log::RetentionClass::control, model::Kept::control> &&
              same_number<log::RetentionClass::health, model::Kept::health>);

}  // namespace

std::vector<log::TopicSpec> topic_specs() {
    std::vector<log::TopicSpec> specs;
    for (const auto& declared : model::all_topics) {
        specs.push_back({declared.id, std::string(declared.name),
                         static_cast<log::RetentionClass>(declared.kept), declared.partitions});
    }
    return specs;
}

std::vector<std::string> folders() {
    return {"store", "dedup", "state"};
}
std::string store_file(const std::string& data_dir) {
    return data_dir + "/store/current.db";
}
std::string keys_file(const std::string& data_dir) {
    return data_dir + "/keys.json";
}
std::string state_directory(const std::string& data_dir, std::string_view stage) {
    return data_dir + "/state/" + std::string(stage);
}
std::string dedup_directory(const std::string& data_dir) {
    return data_dir + "/dedup";
}

Result<ReadOnlyDirectory> open_read_only(const std::string& data_dir) {
    ReadOnlyDirectory opened;
    opened.clock = std::make_unique<SystemClock>();
    opened.telemetry =
        std::make_unique<telemetry::Telemetry>(*opened.clock, telemetry::Level::warn);
    opened.disk = log::posix_disk();
    log::DiskLogOptions options;
    options.directory = data_dir;
    HELIOS_TRY_ASSIGN(opened.log, log::open_read_only(options, topic_specs(), *opened.disk,
                                                      *opened.clock, *opened.telemetry));
    return opened;
}

Result<model::Catalogue> load_catalogue(const std::string& file, std::vector<Error>* errors) {
    if (file.empty()) {
        return model::Catalogue::shipped();
    }
    HELIOS_TRY_ASSIGN(const auto text, read_file(file));
    return model::Catalogue::parse(text, file, errors);
}

}  // namespace helios::app
