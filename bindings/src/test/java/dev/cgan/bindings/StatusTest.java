package dev.cgan.bindings;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class StatusTest {
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 8, 19})
    void theCallersMistakesAreIllegalArguments(int code) {
        assertThat(Status.of(code).toException("text"))
                .isExactlyInstanceOf(IllegalArgumentException.class)
                .hasMessage("text");
    }

    @ParameterizedTest
    @CsvSource({
        "20, DeviceOutOfMemoryException",
        "21, DeviceOutOfMemoryException",
        "39, DeviceOutOfMemoryException",
        "40, UnsupportedOperatorException",
        "41, DeviceUnavailableException",
        "42, DeviceUnavailableException",
        "60, GanNativeException",
        "62, DeviceLostException",
        "70, GanNativeException",
        "90, GanNativeException"
    })
    void otherFailuresKeepTheirCode(int code, String type) {
        RuntimeException exception = Status.of(code).toException("text");
        assertThat(exception.getClass().getSimpleName()).isEqualTo(type);
        assertThat(exception).hasMessage("text");
        assertThat(((NativeCallException) exception).code()).isEqualTo(code);
    }

    @ParameterizedTest
    @ValueSource(ints = {43, 91, 4711, -1, Integer.MIN_VALUE, Integer.MAX_VALUE})
    void unknownCodesSurvive(int code) {
        assertThat(Status.of(code)).isEqualTo(new Status.Other(code));
        assertThat(Status.of(code).toException("text")).isInstanceOf(GanNativeException.class);
    }

    @Test
    void successIsNoException() {
        assertThat(Status.of(0)).isEqualTo(new Status.Ok(0));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Status.of(0).toException("x"))
                .withMessage("not a failure: x");
    }
}
