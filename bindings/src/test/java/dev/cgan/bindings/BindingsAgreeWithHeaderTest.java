package dev.cgan.bindings;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cgan.bindings.gen.Cgan;
import java.lang.foreign.AddressLayout;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.GroupLayout;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.SequenceLayout;
import java.lang.foreign.ValueLayout;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.function.ToIntFunction;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** cgan.h, the generated classes, the hand-written ones and the library say the same. */
class BindingsAgreeWithHeaderTest {
    private static final Path ROOT = Path.of("").toAbsolutePath().getParent();
    private static final String GEN = "dev.cgan.bindings.gen.";

    private static Header header;

    @BeforeAll
    static void readHeaderAndLoadLibrary() throws Exception {
        header = Header.read(ROOT.resolve("native/include/cgan.h"));
        assertThat(header.functions()).hasSizeGreaterThan(50);
        assertThat(header.structs()).hasSizeGreaterThan(20);
        NativeLoader.load();
    }

    @Test
    void everyFunctionIsGeneratedAndNoOther() {
        TreeSet<String> generated = Arrays.stream(Cgan.class.getMethods())
                .map(Method::getName)
                .filter(name -> name.startsWith("cgan_") && !name.contains("$"))
                .collect(Collectors.toCollection(TreeSet::new));
        assertThat(generated).isEqualTo(new TreeSet<>(header.functions().keySet()));
    }

    /** Asking for a descriptor makes the generated code look the symbol up, so this finds missing exports too. */
    @Test
    void functionsHaveTheTypesOfTheHeaderAndAreExported() throws Exception {
        for (Header.Function function : header.functions().values()) {
            var descriptor = (FunctionDescriptor)
                    Cgan.class.getMethod(function.name() + "$descriptor").invoke(null);
            Header.Type result = descriptor
                    .returnLayout()
                    .map(BindingsAgreeWithHeaderTest::type)
                    .orElse(Header.Type.VOID);
            assertThat(result).as("result of %s", function.name()).isEqualTo(function.result());
            assertThat(descriptor.argumentLayouts().stream().map(BindingsAgreeWithHeaderTest::type))
                    .as("parameters of %s", function.name())
                    .containsExactlyElementsOf(function.parameters());
            assertThat(methodNamed(function.name()).getParameterCount())
                    .as("arity of %s", function.name())
                    .isEqualTo(function.parameters().size());
        }
    }

    @Test
    void structuresHaveTheLayoutOfTheHeader() throws Exception {
        int fields = 0;
        for (Header.Struct struct : header.structs().values()) {
            GroupLayout layout = (GroupLayout)
                    Class.forName(GEN + struct.name()).getMethod("layout").invoke(null);
            assertThat(layout.byteSize()).as("size of %s", struct.name()).isEqualTo(struct.bytes());
            assertThat(layout.memberLayouts().stream().flatMap(member -> member.name().stream()))
                    .as("fields of %s", struct.name())
                    .containsExactlyElementsOf(
                            struct.fields().stream().map(Header.Field::name).toList());
            for (Header.Field field : struct.fields()) {
                String name = struct.name() + "." + field.name();
                PathElement path = PathElement.groupElement(field.name());
                assertThat(layout.byteOffset(path)).as("offset of %s", name).isEqualTo(field.offset());
                MemoryLayout member = layout.select(path);
                long count = 1;
                if (member instanceof SequenceLayout sequence) {
                    count = sequence.elementCount();
                    member = sequence.elementLayout();
                }
                assertThat(count).as("length of %s", name).isEqualTo(field.count());
                assertThat(type(member)).as("type of %s", name).isEqualTo(field.type());
                fields++;
            }
        }
        assertThat(fields).isGreaterThan(80);
    }

    @Test
    void theLibraryWasCompiledWithTheseSizes() throws Exception {
        int compared = 0;
        for (Map.Entry<String, Long> kind : header.constants().entrySet()) {
            if (kind.getKey().startsWith("CGAN_STRUCT_")) {
                String base = "cgan_"
                        + kind.getKey().substring("CGAN_STRUCT_".length()).toLowerCase(Locale.ROOT);
                Header.Struct struct = Stream.of(base, base + "_params")
                        .map(header.structs()::get)
                        .filter(found -> found != null)
                        .findFirst()
                        .orElseThrow(() -> new AssertionError(kind.getKey() + " names no structure"));
                assertThat(NativeCalls.sizeof(kind.getValue().intValue()))
                        .as(struct.name())
                        .isEqualTo(struct.bytes());
                compared++;
            }
        }
        assertThat(compared).isEqualTo(header.structs().size());
        assertThat(NativeCalls.sizeof(-1)).isEqualTo(-1);
        assertThat(NativeCalls.sizeof(compared)).isEqualTo(-1);
    }

    @Test
    void constantsHaveTheValuesOfTheHeader() throws Exception {
        Map<String, Long> generated = new TreeMap<>();
        for (Method method : Cgan.class.getMethods()) {
            if (method.getName().startsWith("CGAN_") && method.getParameterCount() == 0) {
                generated.put(method.getName(), ((Number) method.invoke(null)).longValue());
            }
        }
        assertThat(generated).containsExactlyInAnyOrderEntriesOf(header.constants());
    }

    @Test
    void javaEnumsHaveTheCodesOfTheHeader() {
        assertCodes("CGAN_UNARY_", UnaryKind.values(), UnaryKind::code);
        assertCodes("CGAN_ACT_", Activation.values(), Activation::code);
        assertCodes("CGAN_BINARY_", BinaryKind.values(), BinaryKind::code);
        assertCodes("CGAN_REDUCE_", ReduceKind.values(), ReduceKind::code);
        assertCodes("CGAN_POOL_", PoolKind.values(), PoolKind::code);
        assertCodes("CGAN_RANDOM_", RandomKind.values(), RandomKind::code);
        assertCodes("CGAN_ADAM_", AdamForm.values(), AdamForm::code);
        assertCodes("CGAN_(?=[FIU]\\d+$)", DType.values(), DType::code);
    }

    private static <E extends Enum<E>> void assertCodes(String prefix, E[] values, ToIntFunction<E> code) {
        Map<String, Long> expected = header.constants().entrySet().stream()
                .filter(constant -> constant.getKey().matches("^" + prefix + ".*"))
                .collect(Collectors.toMap(constant -> constant.getKey().replaceFirst(prefix, ""), Map.Entry::getValue));
        Map<String, Long> found =
                Arrays.stream(values).collect(Collectors.toMap(Enum::name, value -> (long) code.applyAsInt(value)));
        assertThat(found).as(prefix).isNotEmpty().isEqualTo(expected);
    }

    @Test
    void everyStatusOfTheHeaderHasAMeaning() {
        Map<String, Class<?>> special = Map.of(
                "CGAN_E_UNSUPPORTED", Status.Unsupported.class,
                "CGAN_E_NO_DEVICE", Status.DeviceUnavailable.class,
                "CGAN_E_PLUGIN", Status.DeviceUnavailable.class,
                "CGAN_E_DEVICE_LOST", Status.DeviceLost.class);
        List<String> codes = header.constants().keySet().stream()
                .filter(name -> name.startsWith("CGAN_E_"))
                .toList();
        assertThat(codes).hasSizeGreaterThan(10).containsAll(special.keySet());
        for (String name : codes) {
            int code = header.constants().get(name).intValue();
            Class<?> byDecade = code < 20
                    ? Status.BadArgument.class
                    : code < 40 ? Status.OutOfMemory.class : special.getOrDefault(name, Status.Other.class);
            assertThat(Status.of(code)).as(name).isInstanceOf(byDecade);
        }
    }

    @Test
    void everyFunctionCanBeCalledFromJava() throws Exception {
        String source = Files.readString(ROOT.resolve("bindings/src/main/java/dev/cgan/bindings/NativeCalls.java"));
        assertThat(header.functions().keySet())
                .allSatisfy(name -> assertThat(source).containsPattern("Cgan(\\.|::)" + name + "\\b"));
    }

    @Test
    void onlyNativeCallsCallsTheGeneratedClass() throws Exception {
        try (Stream<Path> files = Files.walk(ROOT)) {
            List<Path> importers = files.filter(path -> path.toString().matches(".*/src/main/java/.*\\.java"))
                    .filter(path -> !path.toString().contains("/bindings/gen/"))
                    .filter(path -> read(path).contains("import dev.cgan.bindings.gen.Cgan;"))
                    .map(Path::getFileName)
                    .toList();
            assertThat(importers).containsExactly(Path.of("NativeCalls.java"));
        }
    }

    private static String read(Path path) {
        try {
            return Files.readString(path);
        } catch (java.io.IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private static Method methodNamed(String name) {
        return Arrays.stream(Cgan.class.getMethods())
                .filter(method -> method.getName().equals(name))
                .collect(Collectors.collectingAndThen(Collectors.toList(), onlyElement(name)));
    }

    private static Function<List<Method>, Method> onlyElement(String name) {
        return methods -> {
            assertThat(methods).as(name).hasSize(1);
            return methods.getFirst();
        };
    }

    private static Header.Type type(MemoryLayout layout) {
        return switch (layout) {
            case AddressLayout pointer -> Header.Type.POINTER;
            case ValueLayout.OfInt int32 -> Header.Type.INT32;
            case ValueLayout.OfLong int64 -> Header.Type.INT64;
            case ValueLayout.OfDouble float64 -> Header.Type.DOUBLE;
            default -> throw new AssertionError("a layout that cgan.h does not use: " + layout);
        };
    }
}
