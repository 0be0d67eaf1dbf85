package session_test

import (
	"compress/gzip"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"testing"
)

// around serves a handler over HTTP/1.1 or HTTP/2, and asks once. A proxy in front is asked instead.
func around(t *testing.T, h http.Handler, ticket string, http2, proxied bool) *http.Response {
	t.Helper()
	start := func(h http.Handler) *httptest.Server {
		server := httptest.NewUnstartedServer(h)
		server.EnableHTTP2, server.Config.ErrorLog = http2, log.New(io.Discard, "", 0)
		server.StartTLS()
		t.Cleanup(server.Close)
		server.Client().Transport.(*http.Transport).DisableCompression = true
		return server
	}
	server := start(h)
	if proxied {
		server = start(proxyTo(t, server))
	}
	req, err := http.NewRequestWithContext(t.Context(), "GET", server.URL+"/app/page", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept-Encoding", "gzip")
	if ticket != "" {
		req.Header.Set("Cookie", newName+"="+ticket)
	}
	resp, err := server.Client().Do(req)
	if err != nil {
		t.Fatalf("no response: %v", err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	if resp.ProtoMajor != map[bool]int{false: 1, true: 2}[http2] {
		t.Errorf("the response came over %s", resp.Proto)
	}
	return resp
}

func proxyTo(t *testing.T, server *httptest.Server) *httputil.ReverseProxy {
	t.Helper()
	target, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	return &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(target) },
		Transport: server.Client().Transport, ErrorLog: log.New(io.Discard, "", 0),
	}
}

func readPlain(t *testing.T, resp *http.Response) string {
	t.Helper()
	var from io.Reader = resp.Body
	if resp.Header.Get("Content-Encoding") == "gzip" {
		unpacked, err := gzip.NewReader(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		from = unpacked
	}
	body, err := io.ReadAll(from)
	if err != nil {
		t.Errorf("after %d bytes: %v", len(body), err)
	}
	return string(body)
}

func recoverer(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if p := recover(); p != nil {
				http.Error(w, "recovered", http.StatusInternalServerError)
			}
		}()
		h.ServeHTTP(w, r)
	})
}

// gzipped compresses what a handler writes. Some such writers say so at once, others when the headers are sent.
func gzipped(h http.Handler, atOnce bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !slices.Contains(r.Header["Accept-Encoding"], "gzip") {
			h.ServeHTTP(w, r)
			return
		}
		if atOnce {
			w.Header().Set("Content-Encoding", "gzip")
		}
		packed := &gzipWriter{ResponseWriter: w, gz: gzip.NewWriter(w), said: atOnce}
		h.ServeHTTP(packed, r)
		_ = packed.gz.Close()
	})
}

type gzipWriter struct {
	http.ResponseWriter
	gz          *gzip.Writer
	said, begun bool
}

func (w *gzipWriter) WriteHeader(status int) {
	w.begun = true
	w.Header().Del("Content-Length")
	if !w.said {
		w.Header().Set("Content-Encoding", "gzip")
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *gzipWriter) Write(p []byte) (int, error) {
	if !w.begun {
		w.WriteHeader(http.StatusOK)
	}
	return w.gz.Write(p)
}
