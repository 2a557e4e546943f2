#include "reconcile/sorter.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <span>
#include <sys/mman.h>
#include <utility>

#include "reconcile/scratch_file.h"

namespace helios::reconcile {
namespace {

constexpr std::size_t buffer_bytes = 128u << 10;  // of a file that is read or written
constexpr std::size_t read_ahead = 8;             // records of a chunk that are fetched early
constexpr std::size_t ahead_bytes = 384;          // so much of each
constexpr std::size_t cache_line_bytes = 64;
constexpr std::uint64_t asked_every = 4096;  // records, whether to stop
constexpr std::size_t chunks_at_once = 2;    // sorted beside the one that is filled

/// Before each record: the sizes of its key and of its value.
struct Sizes {
    std::uint32_t key = 0;
    std::uint32_t value = 0;
    std::size_t both() const { return std::size_t{key} + value; }
};

Sizes sizes_at(const char* record) {
    Sizes sizes;
    std::memcpy(&sizes, record, sizeof sizes);
    return sizes;
}

std::string_view key_at(const char* record) {
    return {record + sizeof(Sizes), sizes_at(record).key};
}

Sorter::Record record_at(const char* record) {
    const Sizes sizes = sizes_at(record);
    return {{record + sizeof sizes, sizes.key}, {record + sizeof sizes + sizes.key, sizes.value}};
}

/// A record of a chunk: where it stands, and eight bytes of its key, so that most comparisons look
/// nowhere else.
struct Entry {
    std::uint64_t word = 0;
    std::uint32_t offset = 0;
};

/// Eight bytes of the key from `depth` on, as a number; zeros where it has ended.
std::uint64_t word_of(std::string_view key, std::size_t depth) {
    std::uint64_t word = 0;
    if (depth < key.size()) {
        std::memcpy(&word, key.data() + depth, std::min(sizeof word, key.size() - depth));
    }
    return __builtin_bswap64(word);
}

constexpr std::size_t few = 8;

/// By keys that agree in their first `depth` bytes (zeros where one has ended), then by offset.
void sort_from(std::span<Entry> entries, const char* bytes, std::size_t depth) {
    const auto key = [bytes](const Entry& entry) { return key_at(bytes + entry.offset); };
    const auto whole = [&](const Entry& a, const Entry& b) {
        const int order = key(a).compare(key(b));
        return order != 0 ? order < 0 : a.offset < b.offset;
    };
    for (;; depth += sizeof(Entry::word)) {
        if (entries.size() <= few) {
            std::sort(entries.begin(), entries.end(), whole);
            return;
        }
        bool differ = false;
        bool ended = true;
        for (Entry& entry : entries) {
            entry.word = word_of(key(entry), depth);
            differ = differ || entry.word != entries.front().word;
            ended = ended && key(entry).size() <= depth + sizeof entry.word;
        }
        if (differ) {
            break;
        }
        if (ended) {  // equal, but for the zeros that some of them end with
            std::sort(entries.begin(), entries.end(), whole);
            return;
        }
    }
    std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
        return a.word != b.word ? a.word < b.word : a.offset < b.offset;
    });
    for (std::size_t begin = 0; begin < entries.size();) {
        std::size_t end = begin + 1;
        while (end < entries.size() && entries[end].word == entries[begin].word) {
            ++end;
        }
        if (end - begin > 1) {
            sort_from(entries.subspan(begin, end - begin), bytes, depth + sizeof(Entry::word));
        }
        begin = end;
    }
}

}  // namespace

/// Memory that is gone through in any order: on large pages, where the system has them, so that
/// nearly every step is not a walk through its page tables.
class Sorter::Room {
public:
    explicit Room(std::size_t bytes)
        : size_(bytes),
          bytes_(static_cast<char*>(::operator new(bytes, alignment_of(bytes))),
                 Free{alignment_of(bytes)}) {
        if (bytes >= large_page_bytes) {
            // A wish: small pages do as well.
            static_cast<void>(
                madvise(bytes_.get(), bytes / large_page_bytes * large_page_bytes, MADV_HUGEPAGE));
        }
    }
    char* get() const { return bytes_.get(); }
    std::size_t size() const { return size_; }

private:
    static constexpr std::size_t large_page_bytes = 2u << 20;

    static std::align_val_t alignment_of(std::size_t bytes) {
        return std::align_val_t{bytes < large_page_bytes ? sizeof(std::uint64_t)
                                                         : large_page_bytes};
    }
    struct Free {
        std::align_val_t alignment;
        void operator()(char* bytes) const { ::operator delete(bytes, alignment); }
    };
    std::size_t size_;
    std::unique_ptr<char, Free> bytes_;
};

/// Sorted records, one after the other.
class Sorter::Run {
public:
    virtual ~Run() = default;
    /// False: there are no more.
    virtual Result<bool> next() = 0;
    /// It has ended: its memory is for others.
    virtual void give_back() = 0;
    /// The one that next() found; its views hold until then.
    const Record& record() const { return record_; }

protected:
    Record record_;
};

/// Records as they were added; after sort() a run in memory. They fill their room from its begin,
/// and their entries from its end.
class Sorter::Chunk final : public Sorter::Run {
public:
    explicit Chunk(std::unique_ptr<Room> room)
        : room_(std::move(room)), entries_begin_(room_->size() / sizeof(Entry) * sizeof(Entry)) {}

    static std::size_t room_for(std::size_t record) {
        return sizeof(Sizes) + record + 2 * sizeof(Entry);
    }
    bool has_room(std::size_t record) const {
        return used_ + sizeof(Sizes) + record + sizeof(Entry) <= entries_begin_;
    }
    void add(std::string_view key, std::string_view value) {
        entries_begin_ -= sizeof(Entry);
        new (room_->get() + entries_begin_) Entry{0, static_cast<std::uint32_t>(used_)};
        ++count_;
        const Sizes sizes{static_cast<std::uint32_t>(key.size()),
                          static_cast<std::uint32_t>(value.size())};
        const auto put = [this](const void* from, std::size_t size) {
            std::memcpy(room_->get() + used_, from, size);
            used_ += size;
        };
        put(&sizes, sizeof sizes);
        put(key.data(), key.size());
        put(value.data(), value.size());
    }
    void sort() { sort_from(entries(), room_->get(), 0); }

    Result<bool> next() override {
        if (at_ == count_) {
            return false;
        }
        const Entry* entry = entries().data() + at_;
        if (at_ + read_ahead < count_) {
            const char* soon = room_->get() + entry[read_ahead].offset;
            for (std::size_t at = 0; at < ahead_bytes; at += cache_line_bytes) {
                __builtin_prefetch(soon + at);
            }
        }
        ++at_;
        record_ = record_at(room_->get() + entry->offset);
        return true;
    }
    void give_back() override { room_.reset(); }
    std::unique_ptr<Room> take_room() { return std::move(room_); }

private:
    std::span<Entry> entries() {
        return {reinterpret_cast<Entry*>(room_->get() + entries_begin_), count_};
    }

    std::unique_ptr<Room> room_;
    std::size_t used_ = 0;
    std::size_t entries_begin_;
    std::size_t count_ = 0;
    std::size_t at_ = 0;
};

/// Records in a file, written first, then read.
class Sorter::FileRun final : public Sorter::Run {
public:
    explicit FileRun(ScratchFile file) : file_(std::move(file)) {}

    Status add(const Record& record) {
        const Sizes sizes{static_cast<std::uint32_t>(record.key.size()),
                          static_cast<std::uint32_t>(record.value.size())};
        buffer_.append(reinterpret_cast<const char*>(&sizes), sizeof sizes);
        buffer_.append(record.key).append(record.value);
        return buffer_.size() < buffer_bytes ? Status{} : end();
    }
    /// Writes what is left; it can be read then.
    Status end() {
        const auto written = file_.append(buffer_);
        buffer_.clear();
        return written;
    }

    Result<bool> next() override {
        at_ += size_;
        size_ = 0;
        if (read_ + at_ == file_.size()) {
            return false;
        }
        HELIOS_TRY(have(sizeof(Sizes)));
        const std::size_t size = sizeof(Sizes) + sizes_at(buffer_.data() + at_).both();
        HELIOS_TRY(have(size));
        record_ = record_at(buffer_.data() + at_);
        size_ = size;
        return true;
    }

    void give_back() override { buffer_ = std::string(); }

private:
    /// So many bytes from at_ on are in the buffer.
    Status have(std::size_t bytes) {
        if (buffer_.size() - at_ >= bytes) {
            return {};
        }
        buffer_.erase(0, at_);
        read_ += std::exchange(at_, 0);
        const std::size_t held = buffer_.size();
        const auto left = file_.size() - read_ - held;
        const auto more = static_cast<std::size_t>(
            std::min<std::uint64_t>(left, std::max(buffer_bytes, bytes) - held));
        buffer_.resize(held + more);
        return file_.read(read_ + held, buffer_.data() + held, more);
    }

    ScratchFile file_;
    std::string buffer_;
    std::uint64_t read_ = 0;  ///< where the buffer begins in the file
    std::size_t at_ = 0;      ///< in the buffer: the record that was found last
    std::size_t size_ = 0;    ///< of that record
};

/// The runs that have records left, as a heap: the least first, of equal ones the earlier run.
struct Sorter::Merge {
    struct Head {
        std::uint64_t word = 0;  ///< how the key begins
        std::string_view key;
        Run* run = nullptr;
        std::size_t number = 0;

        void look_at_record() {
            key = run->record().key;
            word = word_of(key, 0);
        }
        bool after(const Head& other) const {
            if (word != other.word) {
                return word > other.word;
            }
            const int order = key.compare(other.key);
            return order != 0 ? order > 0 : number > other.number;
        }
    };

    static Result<std::unique_ptr<Merge>> of(std::span<const Placed> runs) {
        auto merge = std::make_unique<Merge>();
        for (std::size_t i = 0; i < runs.size(); ++i) {
            Run& run = *runs[i].run;
            HELIOS_TRY_ASSIGN(const bool more, run.next());
            if (more) {
                merge->heads.push_back({0, {}, &run, i});
                merge->heads.back().look_at_record();
            }
        }
        for (std::size_t i = merge->heads.size() / 2; i-- > 0;) {
            merge->sink(i);
        }
        return merge;
    }

    /// nullptr: there are no more.
    Result<Run*> next() {
        if (begun && !heads.empty()) {
            HELIOS_TRY_ASSIGN(const bool more, heads.front().run->next());
            if (more) {
                heads.front().look_at_record();
            } else {
                heads.front().run->give_back();
                heads.front() = heads.back();
                heads.pop_back();
            }
            sink(0);
        }
        begun = true;
        return heads.empty() ? nullptr : heads.front().run;
    }

    void sink(std::size_t at) {
        if (at >= heads.size()) {
            return;
        }
        const Head moved = heads[at];
        for (std::size_t child = 2 * at + 1; child < heads.size(); child = 2 * at + 1) {
            child += child + 1 < heads.size() && heads[child].after(heads[child + 1]) ? 1 : 0;
            if (!moved.after(heads[child])) {
                break;
            }
            heads[at] = heads[child];
            at = child;
        }
        heads[at] = moved;
    }

    std::vector<Head> heads;
    bool begun = false;
};

Sorter::Sorter(SorterOptions options, Workers& workers)
    : options_(std::move(options)), workers_(workers) {}

Sorter::~Sorter() {
    for (auto& sorted : being_sorted_) {
        sorted.wait();
    }
}

Status Sorter::add(std::string_view key, std::string_view value) {
    const std::size_t bytes = key.size() + value.size();
    if (chunk_ && !chunk_->has_room(bytes)) {
        HELIOS_TRY(end_chunk());
    }
    if (!chunk_) {
        const std::size_t needed = std::max(options_.chunk_bytes, Chunk::room_for(bytes));
        if (!spare_.empty() && spare_.back()->size() >= needed) {
            chunk_ = std::make_unique<Chunk>(std::move(spare_.back()));
            spare_.pop_back();
        } else {
            chunk_ = std::make_unique<Chunk>(std::make_unique<Room>(needed));
        }
    }
    chunk_->add(key, value);
    ++size_;
    return {};
}

/// The first chunks stay in memory, those that come when it is full go to disk.
Status Sorter::end_chunk() {
    const std::size_t in_memory = options_.memory_bytes / options_.chunk_bytes;
    const bool stays = ++chunks_ + chunks_at_once + 1 <= in_memory;
    const auto work = [chunk = std::shared_ptr<Chunk>(std::move(chunk_)), stays,
                       directory = options_.directory]() -> Result<Sorted> {
        chunk->sort();
        if (stays) {
            return Sorted{{std::make_unique<Chunk>(std::move(*chunk)), 0}, nullptr};
        }
        HELIOS_TRY_ASSIGN(auto file, ScratchFile::make(directory));
        auto run = std::make_unique<FileRun>(std::move(file));
        for (;;) {
            HELIOS_TRY_ASSIGN(const bool more, chunk->next());
            if (!more) {
                break;
            }
            HELIOS_TRY(run->add(chunk->record()));
        }
        HELIOS_TRY(run->end());
        return Sorted{{std::move(run), 1}, chunk->take_room()};
    };
    being_sorted_.push_back(workers_.start(work));
    return take_sorted(chunks_at_once);
}

Status Sorter::take_sorted(std::size_t left_open) {
    while (being_sorted_.size() > left_open) {
        auto sorted = being_sorted_.front().get();
        being_sorted_.pop_front();
        if (!sorted) {
            return fail(sorted.error());
        }
        runs_.push_back(std::move(sorted->placed));
        if (sorted->spare && sorted->spare->size() <= options_.chunk_bytes) {
            spare_.push_back(std::move(sorted->spare));
        }
        HELIOS_TRY(merge_files());
    }
    return {};
}

std::size_t Sorter::files() const {
    return static_cast<std::size_t>(std::count_if(
        runs_.begin(), runs_.end(), [](const Placed& placed) { return placed.written > 0; }));
}

/// The last runs while there are files_max of them that have been written equally often.
Status Sorter::merge_files() {
    for (;;) {
        const unsigned written = runs_.back().written;
        const auto other = std::find_if(runs_.rbegin(), runs_.rend(), [&](const Placed& placed) {
            return placed.written != written;
        });
        const auto alike = static_cast<std::size_t>(other - runs_.rbegin());
        if (written == 0 || alike < options_.files_max) {
            return {};
        }
        const std::size_t first = runs_.size() - alike;
        HELIOS_TRY_ASSIGN(auto run, merged(first));
        runs_.resize(first);
        runs_.push_back({std::move(run), written + 1});
    }
}

/// One run of all from `first` on.
Result<std::unique_ptr<Sorter::Run>> Sorter::merged(std::size_t first) const {
    HELIOS_TRY_ASSIGN(auto file, ScratchFile::make(options_.directory));
    auto out = std::make_unique<FileRun>(std::move(file));
    HELIOS_TRY_ASSIGN(const auto merge, Merge::of(std::span(runs_).subspan(first)));
    for (std::uint64_t n = 0;; ++n) {
        if (n % asked_every == 0 && options_.stop && options_.stop()) {
            return fail(ErrorKind::stopping, "interrupted");
        }
        HELIOS_TRY_ASSIGN(const Run* run, merge->next());
        if (run == nullptr) {
            break;
        }
        HELIOS_TRY(out->add(run->record()));
    }
    HELIOS_TRY(out->end());
    return out;
}

/// The only chunk stays in memory, whatever its size.
Status Sorter::end_adding() {
    if (chunk_ && chunks_ == 0) {
        being_sorted_.push_back(
            workers_.start([chunk = std::shared_ptr<Chunk>(std::move(chunk_))]() -> Result<Sorted> {
                chunk->sort();
                return Sorted{{std::make_unique<Chunk>(std::move(*chunk)), 0}, nullptr};
            }));
        return {};
    }
    return chunk_ ? end_chunk() : Status{};
}

Result<const Sorter::Record*> Sorter::next() {
    if (!merge_) {
        HELIOS_TRY(end_adding());
        HELIOS_TRY(take_sorted(0));
        spare_.clear();
        HELIOS_TRY_ASSIGN(merge_, Merge::of(runs_));
    }
    HELIOS_TRY_ASSIGN(const Run* run, merge_->next());
    if (run == nullptr) {
        return nullptr;
    }
    record_ = run->record();
    return &record_;
}

void append_sortable(std::string& out, std::int64_t value) {
    const auto bits = __builtin_bswap64(static_cast<std::uint64_t>(value) ^ (1ull << 63));
    out.append(reinterpret_cast<const char*>(&bits), sizeof bits);
}

std::int64_t read_sortable(std::string_view eight_bytes) {
    std::uint64_t bits = 0;
    std::memcpy(&bits, eight_bytes.data(), std::min(sizeof bits, eight_bytes.size()));
    return static_cast<std::int64_t>(__builtin_bswap64(bits) ^ (1ull << 63));
}

}  // namespace helios::reconcile
