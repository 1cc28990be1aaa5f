module bench/line

go 1.21
