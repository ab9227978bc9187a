package native_test

import (
	"os"
	"os/exec"
	"runtime"
	"testing"

	"golang.org/x/sys/cpu"
)

// levelsVariable asks for TestLevels, which builds the engine once for each level.
const levelsVariable = "TARGON_TEST_LEVELS"

// TestLevels runs the tests of equal bits in builds for each level of the amd64
// architecture: the compiler may use fused multiply-adds from v3 on, and must not where
// the arithmetic says otherwise.
func TestLevels(t *testing.T) {
	if os.Getenv(levelsVariable) == "" {
		t.Skipf("set %s=1 to build and test for each GOAMD64 level, which takes some minutes", levelsVariable)
	}
	if runtime.GOARCH != "amd64" {
		t.Skip("levels are amd64's")
	}
	x := cpu.X86
	v2 := x.HasSSE42 && x.HasPOPCNT
	v3 := v2 && x.HasAVX2 && x.HasFMA && x.HasBMI1 && x.HasBMI2
	v4 := v3 && x.HasAVX512F && x.HasAVX512BW && x.HasAVX512CD && x.HasAVX512DQ && x.HasAVX512VL
	for _, level := range []struct {
		name string
		runs bool
	}{{"v1", true}, {"v2", v2}, {"v3", v3}, {"v4", v4}} {
		t.Run(level.name, func(t *testing.T) {
			if !level.runs {
				t.Skip("this processor has less")
			}
			tests := "^(TestSameBits|TestThreadsSameBits|TestFamilies.*|TestDotDefinition|Test.*Same|TestFMA.*|TestExpAccuracy|TestWidenAll)$"
			cmd := exec.CommandContext(t.Context(), "go", "test", "-count=1", "-short", "-run", tests, ".", "./kernel")
			cmd.Env = append(os.Environ(), "GOAMD64="+level.name, levelsVariable+"=")
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
}
