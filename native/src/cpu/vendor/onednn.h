// oneDNN's objects as C++ ones, and what this backend makes of them: a Computation, kept for its shape.
#pragma once

#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <vector>

#include "cpu/fast/machine.h"
#include "cpu/vendor/onednn_library.h"

namespace cgan::onednn {

// Throws CGAN_E_VENDOR, or std::bad_alloc, unless the status is success.
void check(const Calls& calls, int status, const char* call);

// Owns an object of the library.
template <class T> class Owned {
  public:
    using Destroy = int (*)(T*);
    Owned() = default;
    Owned(T* object, Destroy destroy) : object_(object, destroy) {}
    T* get() const { return object_.get(); }
    explicit operator bool() const { return object_ != nullptr; }

  private:
    struct Deleter {
        Destroy destroy = nullptr;
        Deleter() = default;
        Deleter(Destroy d) : destroy(d) {} // NOLINT: one argument is what it is made of
        void operator()(T* object) const { destroy(object); }
    };
    std::unique_ptr<T, Deleter> object_;
};

// A float32 tensor as cgan's operators hold it: any order of its dimensions, dense.
struct Layout {
    std::vector<std::int64_t> dims, strides;
};

// An operand of a computation. `free` ones are held in whatever layout oneDNN works best on, and copied from or
// to the caller's.
struct OperandSpec {
    int arg;
    int query; // what tells the layout that oneDNN chose; 0: the caller's
    Layout layout;
    bool result = false;
    bool free = false;
};

struct ActivationSpec {
    int kind = CGAN_ACT_NONE; // cgan_activation
    float alpha = 0;
};

class Machine;

// One primitive of oneDNN with its operands, and the copies that free operands need.
class Computation {
  public:
    // Makes the primitive's description from those of the operands, in their order.
    using Describe =
        std::function<int(PrimitiveDesc** desc, Engine* engine,
                          const std::vector<const MemoryDesc*>& operands, const Attributes* attributes)>;

    // Nothing if oneDNN has no optimised code for it.
    static std::unique_ptr<Computation> make(Machine& machine, const std::vector<OperandSpec>& operands,
                                             ActivationSpec activation, const Describe& describe);

    // data: the operands' elements, in their order; null ones are those that it was made without.
    void run(Machine& machine, std::initializer_list<const void*> data) const;

  private:
    struct Operand {
        int arg;
        bool result;
        Owned<Memory> given, used;       // `used` is there if it differs from `given`
        Owned<Primitive> copy;           // between them
        std::int64_t scratch_floats = 0; // what `used` needs
        Memory* memory() const { return used ? used.get() : given.get(); }
    };

    void add_operand(Machine& machine, const OperandSpec& spec, const MemoryDesc* given,
                     const PrimitiveDesc* desc);
    void run_copies(Machine& machine, bool of_results) const;

    std::vector<Operand> operands_;
    Owned<Primitive> primitive_;
    Owned<Memory> scratchpad_;
    std::int64_t scratchpad_floats_ = 0;
};

// What identifies a computation: its kind and all numbers that it depends on.
using Key = std::vector<std::int64_t>;

class Machine {
  public:
    Machine(const Library& library, int threads, MemoryLedger& ledger);

    const Calls& calls() const { return *library_.calls; }
    const Library& library() const { return library_; }
    Engine* engine() const { return engine_.get(); }
    Stream* stream() const { return stream_.get(); }
    fast::Scratch& scratch() { return scratch_; }

    // Gives this thread's OpenMP regions the context's number of threads while it lives.
    class Threads {
      public:
        explicit Threads(const Machine& machine);
        ~Threads();
        Threads(const Threads&) = delete;
        Threads& operator=(const Threads&) = delete;

      private:
        const Calls& calls_;
        const int before_;
    };

    // The computation of this key, made at its first use; null if oneDNN has none.
    const Computation* find(const Key& key, const std::function<std::unique_ptr<Computation>()>& make);

  private:
    const Library library_;
    const int threads_;
    fast::Scratch scratch_;
    Owned<Engine> engine_;
    Owned<Stream> stream_;
    std::map<Key, std::unique_ptr<Computation>> computations_;
};

} // namespace cgan::onednn
