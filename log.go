package session

import (
	"context"
	"log/slog"
)

// defaultLog logs to what slog.Default is by then: a program may set it after it has made its managers.
type defaultLog struct{}

func (defaultLog) Enabled(ctx context.Context, level slog.Level) bool {
	return slog.Default().Enabled(ctx, level)
}

func (defaultLog) Handle(ctx context.Context, r slog.Record) error {
	return slog.Default().Handler().Handle(ctx, r)
}

func (defaultLog) WithAttrs(attrs []slog.Attr) slog.Handler {
	return slog.Default().Handler().WithAttrs(attrs)
}

func (defaultLog) WithGroup(name string) slog.Handler {
	return slog.Default().Handler().WithGroup(name)
}
