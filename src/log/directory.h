#pragma once
/// What a data directory says about itself: FORMAT (who may read and write it), the topics' names
/// and ids, the paths.
///
/// Everything here is small, written rarely, replaced atomically. It knows nothing of segments.

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "log/disk.h"
#include "log/log.h"

namespace helios::log {

/// The format that this program reads and writes.
inline constexpr std::uint32_t directory_format = 4;

struct DirectoryFormat {
    std::uint32_t reader = directory_format;  ///< the least format a reader must know
    std::uint32_t writer = directory_format;  ///< the least format a writer must know
    std::uint32_t partitions = 0;
    LogId id{};
};

/// A topic as this directory knows it. Ids count from 1 in the order in which its topics came, and
/// are never reused: frames name a topic so.
struct Topic {
    std::uint16_t id = 0;
    std::string name;
    RetentionClass retention = RetentionClass::data;
    std::uint32_t partitions = 0;
    TopicId number{};  ///< as everybody else names it; not stored. no_topic: nobody told
};

std::string encode_format(const DirectoryFormat& format);
/// corrupt: foreign (not ours at all), damaged, older or newer than this program; `what` says
/// which.
Result<DirectoryFormat> parse_format(std::string_view text, const std::string& path,
                                     bool for_writing);

std::string encode_topics(const std::vector<Topic>& topics);
/// corrupt: not a topics file, or damaged.
Result<std::vector<Topic>> parse_topics(std::string_view text, const std::string& path);

/// Gives them the numbers of those specs that have their names.
void number_topics(std::vector<Topic>& topics, const std::vector<TopicSpec>& specs);

/// By retention class.
using KeptJournals = std::array<Kept, retention_classes>;

std::string encode_kept(const KeptJournals& kept);
/// corrupt: not such a file, or damaged.
Result<KeptJournals> parse_kept(std::string_view text, const std::string& path);
/// Nothing dropped where there is no file. corrupt: as above. unavailable.
Result<KeptJournals> read_kept(Disk& disk, const std::string& path);

struct DirectoryPaths {
    explicit DirectoryPaths(const std::string& directory)
        : root(directory),
          log(directory + "/log"),
          journals{log + "/data", log + "/control", log + "/health"},
          format(root + "/FORMAT"),
          lock(root + "/LOCK"),
          topics(log + "/topics"),
          mark(log + "/mark"),
          kept(log + "/kept"),
          reserve(log + "/reserve") {}
    std::string root, log;
    std::array<std::string, retention_classes> journals;  ///< by retention class
    std::string format, lock, topics, mark, kept, reserve;
};

/// Every lock of a data directory, held until destroyed: on the directory itself, and on each
/// folder in it, for a folder may be a link to somewhere that another data directory links to.
class DirectoryLocks {
public:
    /// Changes nothing. `folders` are those of other rooms; one that isn't there needs no lock:
    /// whoever makes it holds the directory's. not_found: no such directory. conflict: somebody
    /// else holds one; named.
    static Result<DirectoryLocks> take(Disk& disk, const DirectoryPaths& paths,
                                       const std::vector<std::string>& folders);
    /// Writes who holds them into LOCK.
    Status sign(const DirectoryPaths& paths) { return held_.front()->sign(paths.lock); }

private:
    std::vector<std::unique_ptr<DirectoryLock>> held_;
};

/// corrupt: somebody else's, or ours and damaged: without a FORMAT, and with names in it that no
/// beginning of ours leaves behind; or with a FORMAT that this program does not write. conflict:
/// another partition count. Changes nothing; a directory that doesn't exist is fine.
Status check_directory(Disk& disk, const DirectoryPaths& paths, std::uint32_t partitions);

/// Makes what a new directory lacks; it gets `partitions`. Only after check_directory.
Status claim_directory(Disk& disk, const DirectoryPaths& paths, std::uint32_t partitions);

/// The directory's topics after adding those of `specs` that it doesn't have. conflict: a topic is
/// there with another class or partition count. invalid: a bad name, a name or a number twice, too
/// many.
Result<std::vector<Topic>> claim_topics(Disk& disk, const DirectoryPaths& paths,
                                        std::uint32_t partitions,
                                        const std::vector<TopicSpec>& specs);

}  // namespace helios::log
