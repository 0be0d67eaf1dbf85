package guard_test

import (
	"strings"
	"testing"
	"unicode"

	"github.com/coatcheck/session/guard"
)

var devices = map[string]string{
	"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0":                                                                             "Firefox on Linux",
	"Mozilla/5.0 (Android 15; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0":                                                                               "Firefox on Android",
	"Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) FxiOS/140.0 Mobile/15E148 Safari/605.1.15":          "Firefox on iPhone",
	"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36":                                    "Chrome on Windows",
	"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36 Edg/138.0.0.0":                      "Edge on Windows",
	"Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Mobile Safari/537.36 EdgA/138.0.0.0":                     "Edge on Android",
	"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36 OPR/120.0.0.0":                      "Opera on Windows",
	"Mozilla/5.0 (Linux; Android 14; SAMSUNG SM-S918B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36": "Samsung Internet on Android",
	"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15":                              "Safari on Mac",
	"Mozilla/5.0 (iPad; CPU OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/138.0.7204.33 Mobile/15E148 Safari/604.1":              "Chrome on iPad",
	"Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1":            "Safari on iPhone",
	"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36":                                     "Chrome on ChromeOS",
	"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Ubuntu Chromium/120.0 Chrome/120.0 Safari/537.36":                            "Chromium on Linux",
	"Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko":                                                                              "Internet Explorer on Windows",
	"curl/8.14.1":                      "curl",
	"python-requests/2.32.4":           "A Python program",
	"Go-http-client/2.0":               "A Go program",
	"okhttp/4.12.0":                    "An Android app",
	"Shop/1 CFNetwork/3826 Darwin/24":  "An Apple app",
	"Mozilla/5.0 (X11; OpenBSD amd64)": "OpenBSD",
	"":                                 guard.UnknownDevice,
	"<script>alert(1)</script>":        guard.UnknownDevice,
}

func TestAUserAgentIsShownAsADevice(t *testing.T) {
	for ua, want := range devices {
		if got := guard.Device(ua); got != want {
			t.Errorf("Device(%q) = %q, want %q", ua, got, want)
		}
	}
}

// Whatever comes in, what comes out is short, printable and made of our own words.
func FuzzDevice(f *testing.F) {
	for ua := range devices {
		f.Add(ua)
	}
	f.Fuzz(func(t *testing.T, ua string) {
		got := guard.Device(ua)
		if got == "" || len(got) > 50 ||
			strings.ContainsFunc(got, func(c rune) bool { return c != ' ' && !unicode.IsLetter(c) }) {
			t.Errorf("Device(%q) = %q", ua, got)
		}
	})
}
